import { setTimeout as delay } from "node:timers/promises";
import { askRedis } from "../servers/ask-redis.js";
import type { HttpConnection } from "./http-connection.js";
import { httpRequest } from "./http-request.js";
import { type Client, noteRequest, signIn } from "./requests.js";
import { ROUTES, userAnswer } from "./routes.js";

const NOTE = "20260101";
/** Of the processes that are examined (BENCH_IDLE_SECONDS). */
export const PROOF_IDLE_SECONDS = 20;
const SHORT_SECONDS = 10;
/** A session may be touched once in a tenth of its idle time; a little more than that. */
const UNTIL_DUE_MS = PROOF_IDLE_SECONDS * 110;

const ALL = "local keys = redis.call('KEYS', '*') for n = 1, #keys do";
/** All keys expire soon. */
const SHORTEN = `${ALL} redis.call('EXPIRE', keys[n], ${SHORT_SECONDS}) end return 0`;
/** What the key that lives longest has left, seconds. */
const LONGEST = `local most = 0 ${ALL} most = math.max(most, redis.call('TTL', keys[n])) end return most`;

interface Examined {
  readonly redisPort: number;
  /** Two processes of the contender on that Redis. */
  readonly one: HttpConnection;
  readonly other: HttpConnection;
  readonly sessions: "touched" | "fixed";
}

/**
 * Sees that a contender does what it is measured for: what one process writes, another reads; a read moves the expiry, at the latest when
 * a tenth of the idle time has passed, or does not, as the table of contenders says; and once Redis has forgotten the session, so has the contender. Leaves an empty Redis.
 */
export async function prove({ redisPort, one, other, sessions }: Examined): Promise<void> {
  await askRedis(redisPort, "FLUSHALL");
  const [client] = await signIn([one], "2k", 1);
  if (client === undefined) throw new Error("expected a session, got none");

  const written = await one.ask(noteRequest(client, NOTE));
  expectBody("a write", written.body, client.answer);
  const { body: note } = await other.ask(httpRequest("GET", ROUTES.note, client.cookie));
  if (!note.startsWith(`{"note":"${NOTE}`)) throw new Error(`expected the note ${NOTE} to be stored, got ${note}`);

  await delay(UNTIL_DUE_MS);
  await askRedis(redisPort, "EVAL", SHORTEN, "0");
  await read(one, client, client.answer);
  const left = Number(await askRedis(redisPort, "EVAL", LONGEST, "0"));
  if (left > SHORT_SECONDS !== (sessions === "touched"))
    throw new Error(
      `expected a session that is ${sessions} by a read, got one that has ${left} of ${SHORT_SECONDS} s left`,
    );

  await askRedis(redisPort, "FLUSHALL");
  await read(one, client, userAnswer(undefined));
}

async function read(connection: HttpConnection, { read: request }: Client, expected: string): Promise<void> {
  const { body } = await connection.ask(request);
  expectBody("a read", body, expected);
}

function expectBody(what: string, body: string, expected: string): void {
  if (body !== expected) throw new Error(`${what}: expected the answer ${expected}, got ${body}`);
}
