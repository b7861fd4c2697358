import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { ParticipantReply } from "./reply.js";
import type { ParticipantRequest } from "./request.js";

/** After so long without the head of an answer `fetch` gives up, whatever its signal says: 300 s, less a margin. */
export const FETCH_PATIENCE_MS = 270_000;

/** As `fetch` without following redirects, for an answer that may take hours. Rejects with the connection's error, or when `signal` aborts. */
export function patientRequest(
  base: string,
  { method, endpoint, headers, body }: ParticipantRequest,
  signal: AbortSignal,
  maxBytes: number,
): Promise<ParticipantReply> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${base}${endpoint}`);
    const bodiless = method === "GET" || method === "HEAD";
    const sent = bodiless ? headers : { ...headers, "content-type": "application/json" };
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const request: ClientRequest = send(url, { method, headers: sent, signal }, (response) => {
      read(response, maxBytes).then((text) => {
        const { statusCode: status = 0, headers: answered } = response;
        const header = (name: string): string | null => {
          const value = answered[name.toLowerCase()];
          return typeof value === "string" ? value : (value?.[0] ?? null);
        };
        resolve({ status, header, text });
      }, reject);
    });
    // A connection that is silent for hours is kept by whatever lies between, or its end is noticed.
    request.setSocketKeepAlive(true, 30_000);
    request.once("error", reject);
    request.end(bodiless ? undefined : JSON.stringify(body));
  });
}

/** Undefined: it is larger than that. */
async function read(response: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    // Leaving the loop ends the response.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
