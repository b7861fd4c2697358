import type { FastifyRequest } from "fastify";

/** Whom a call is made for; it goes into the events. */
export function originOf(request: FastifyRequest): { readonly ip: string; readonly userAgent?: string } {
  const userAgent = request.headers["user-agent"];
  return userAgent === undefined ? { ip: request.ip } : { ip: request.ip, userAgent };
}
