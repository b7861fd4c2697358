import { setTimeout as sleep } from "node:timers/promises";
import type { Instance } from "./instance.js";
import type { Draws } from "./seeded.js";

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
async function ask(instance: Instance, { method = "GET", path, body, headers }: Asked): Promise<Answer | null> {
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

/** Asks one of those that seem to live; null when none does, or no whole answer came in time. */
export function askAnybody(instances: readonly Instance[], draws: Draws, asked: Asked): Promise<Answer | null> {
  const up = instances.filter(({ child, url }) => child !== null && url !== "");
  return up.length === 0 ? Promise.resolve(null) : ask(draws.pick(up), asked);
}

/** Asks here and there until somebody answers, with no error of the service's own; null when nobody did so often. */
export async function askUntilAnswered(
  instances: readonly Instance[],
  draws: Draws,
  asked: Asked,
  tries = 20,
): Promise<Answer | null> {
  for (let left = tries; left > 0; left--) {
    const answer = await askAnybody(instances, draws, asked);
    if (answer !== null && answer.status < 500 && answer.status !== 429) return answer;
    await sleep(draws.between(100, 500));
  }
  return null;
}

/** A field of an answer, if it is text. */
export function textOf(body: unknown, field: string): string | undefined {
  const value = typeof body === "object" && body !== null ? Reflect.get(body, field) : undefined;
  return typeof value === "string" ? value : undefined;
}
