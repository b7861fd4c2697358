import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Redis, startRedis } from "@clean-arch/test-servers";
import { afterAll } from "vitest";
import type { SessionStore } from "../../store/session-store.js";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { createRedisSessionStore } from "../../stores/redis/session-store.js";
import { createSqliteSessionStore } from "../../stores/sqlite/session-store.js";

/** Every store that the HTTP tests run over; the system's clock is theirs, as the middlewares of others read no other one. */
export const HTTP_STORES: readonly HttpStore[] = [
  { name: "memory", open: async () => ({ store: createMemorySessionStore(), close: async () => undefined }) },
  {
    name: "sqlite",
    async open() {
      const folder = await mkdtemp(join(tmpdir(), "http-sessions-"));
      const store = createSqliteSessionStore({ file: join(folder, "sessions.db") });
      return { store, close: () => rm(folder, { recursive: true }) };
    },
  },
  {
    name: "redis",
    async open() {
      redis ??= startRedis();
      opened += 1;
      const store = createRedisSessionStore({ url: (await redis).url, prefix: `http-${opened}:` });
      return { store, close: async () => undefined };
    },
  },
];

/** One for all tests of a file, which have prefixes of their own. */
let redis: Promise<Redis> | undefined;
let opened = 0;
afterAll(async () => (await redis)?.remove());

export interface HttpStore {
  readonly name: string;
  /** `close` removes what `open` made; whoever uses the store closes it. */
  open(): Promise<{ readonly store: SessionStore; close(): Promise<void> }>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `name=value` of the last cookie that was set, undefined when none was or it was cleared. */
  readonly cookie: string | undefined;
}

export interface Call {
  readonly cookie?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export interface HttpClient {
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Breaks the connections of calls that are under way. */
  abort(): Promise<void>;
  close(): Promise<void>;
}

/** A browser's calls from a page of the same origin. */
export function clientOf(port: number, closeServer: () => Promise<unknown>): HttpClient {
  const agent = new Agent({ keepAlive: true });
  return {
    call: (method, path, { cookie, headers } = {}) =>
      new Promise((resolve, reject) => {
        const sent = { "sec-fetch-site": "same-origin", ...(cookie !== undefined && { cookie }), ...headers };
        const outgoing = request({ host: "127.0.0.1", port, method, path, agent, headers: sent }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            const { statusCode: status = 0, headers } = incoming;
            resolve({ status, headers, text, cookie: lastCookie(headers) });
          });
        });
        outgoing.on("error", reject);
        outgoing.end();
      }),
    async abort() {
      agent.destroy();
    },
    async close() {
      agent.destroy();
      await closeServer();
    },
  };
}

export async function serve(listener: RequestListener): Promise<HttpClient & { readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<unknown> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { ...clientOf((server.address() as AddressInfo).port, close), server };
}

function lastCookie(headers: IncomingHttpHeaders): string | undefined {
  const pair = headers["set-cookie"]?.at(-1)?.split(";")[0];
  return pair === undefined || pair.endsWith("=") ? undefined : pair;
}
