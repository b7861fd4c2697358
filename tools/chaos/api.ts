import type { Instance } from "./instance.js";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Of the process that answered. */
  readonly instance: string;
}

export interface Asked {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As a client's deadline: a stopped process never answers. */
const TIMEOUT_MS = 3_000;

/** Asks one instance; null when no whole answer came in time. */
export async function ask(instance: Instance, { method = "GET", path, body, headers }: Asked): Promise<Answer | null> {
  const { url, name } = instance;
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as unknown, instance: name };
  } catch {
    return null;
  }
}

/** A field of an answer, if it is text. */
export function textOf(body: unknown, field: string): string | undefined {
  const value = typeof body === "object" && body !== null ? Reflect.get(body, field) : undefined;
  return typeof value === "string" ? value : undefined;
}
