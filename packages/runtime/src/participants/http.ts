import type { StepOutcome } from "../engine/step-outcome.js";
import type { Logger } from "../log.js";
import { silentLogger } from "../log.js";
import type { RetryPolicy } from "../saga/definition.js";
import type { Participant } from "./participant.js";
import { FETCH_PATIENCE_MS, patientRequest } from "./patient-request.js";
import { remoteParticipant } from "./remote.js";
import type { ParticipantRequest } from "./request.js";

export interface HttpParticipantOptions {
  /** As stages name it; for logs and errors. */
  readonly name: string;
  /** http or https; endpoints are appended to its path. */
  readonly baseUrl: string;
  /** Of an attempt, unless its stage says otherwise. Default 30,000. */
  readonly timeoutMs?: number;
  /** What it says goes before the manager's `recovery`, and after the stage's own. Default: nothing. */
  readonly retry?: Partial<RetryPolicy>;
  /** Sent with every call; the protocol's own headers win over them. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 1 MiB. A larger answer counts as "it ran, its output is unknown". */
  readonly maxResponseBytes?: number;
  /** Told about faults of configuration (3xx, 401, 403, 404, 405). Default: silent. */
  readonly logger?: Logger;
}

/** A participant over HTTP. Redirects are not followed, so that a call never leaves the configured origin. */
export function httpParticipant(options: HttpParticipantOptions): Participant {
  const { name, baseUrl, headers = {}, maxResponseBytes = 1_048_576, logger = silentLogger, ...defaults } = options;
  const base = baseUrl.replace(/\/+$/, "");
  return remoteParticipant({
    ...{ name, description: `http ${base}`, ...defaults, headers, logger },
    async send(sent, { signal, timeoutMs }) {
      const request = httpRequest(base, sent);
      try {
        if (timeoutMs > FETCH_PATIENCE_MS) return await patientRequest(base, sent, signal, maxResponseBytes);
        const response = await fetch(request, { signal, redirect: "manual" });
        const text = await readBounded(response, maxResponseBytes);
        return { status: response.status, header: (name) => response.headers.get(name), text };
      } catch (error) {
        return connectionFailure(name, error);
      }
    },
  });
}

function httpRequest(base: string, { method, endpoint, headers, body }: ParticipantRequest): Request {
  const bodiless = method === "GET" || method === "HEAD";
  return new Request(`${base}${endpoint}`, {
    method,
    headers: { ...headers, ...(bodiless ? {} : { "content-type": "application/json" }) },
    body: bodiless ? null : JSON.stringify(body),
  });
}

/** Errors that occur before a byte of the request has left: the step certainly did not run. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function connectionFailure(service: string, error: unknown): StepOutcome {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = String((cause as { code?: unknown })?.code ?? (cause as Error)?.name ?? "error");
  const message = `expected an answer of ${service}, got a connection error: ${code}`;
  return { kind: "failed", error: { code: "connection", message }, mayHaveRun: !NEVER_SENT.has(code), retry: true };
}

async function readBounded(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
