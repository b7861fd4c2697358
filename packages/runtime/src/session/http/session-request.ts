import type { Device } from "../../store/session-store.js";
import type { Origin } from "../manager.js";

/** The least that is needed of a request; those of Fastify, Express and Node have it. */
export interface SessionRequest {
  readonly method?: string | undefined;
  readonly headers: SessionRequestHeaders;
  /** The client's address, as far as the framework trusts its proxies. Default: the socket's. */
  readonly ip?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

export interface SessionRequestHeaders {
  readonly [name: string]: string | string[] | undefined;
  readonly cookie?: string | undefined;
  readonly authorization?: string | undefined;
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "user-agent"?: string | undefined;
}

/** No address is longer; a proxy that is trusted may have passed on anything. */
const MAX_ADDRESS = 64;

export function addressOf(request: SessionRequest): string | undefined {
  return request.ip ?? request.socket?.remoteAddress;
}

/** Who is there, for the events; and for a session's owner to recognize it by. The manager bounds it. */
export function originOf(request: SessionRequest): Origin & Device {
  const ip = addressOf(request);
  const userAgent = request.headers["user-agent"];
  if (ip === undefined || ip.length > MAX_ADDRESS) return userAgent === undefined ? {} : { userAgent };
  return userAgent === undefined ? { ip } : { ip, userAgent };
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
export function isSafe({ method }: SessionRequest): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "TRACE";
}

/** The one value of a header; undefined when it is missing or was sent twice. */
export function oneHeader(request: SessionRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
