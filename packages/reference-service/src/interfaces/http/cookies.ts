/**
 * The one cookie of this service. In production its name has the `__Host-` prefix, which browsers accept only with
 * Secure, Path=/ and no Domain, so that no subdomain can plant one.
 */
import type { HttpSettings } from "./http-settings.js";

export interface SessionCookie {
  /** The token; undefined when there is none, or when several differ: then nobody knows whose request this is. */
  read(header: string | undefined): string | undefined;
  set(token: string): string;
  clear(): string;
}

const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None" } as const;

export function sessionCookie({ name, sameSite, secure }: HttpSettings["cookie"]): SessionCookie {
  const attributes = `Path=/; HttpOnly; SameSite=${SAME_SITE[sameSite]}${secure ? "; Secure" : ""}`;
  return {
    read(header) {
      if (header === undefined) return undefined;
      const values = new Set<string>();
      for (const part of header.split(";")) {
        const at = part.indexOf("=");
        if (at > 0 && part.slice(0, at).trim() === name) values.add(part.slice(at + 1).trim());
      }
      const [value] = values;
      return values.size === 1 ? value : undefined;
    },
    set: (token) => `${name}=${token}; ${attributes}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
