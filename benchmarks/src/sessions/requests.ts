import type { HttpConnection } from "./http-connection.js";
import { cookieOf, httpRequest } from "./http-request.js";
import { type Exchange, load } from "./load.js";
import { CONSTANT_ANSWER, ROUTES, userAnswer } from "./routes.js";
import type { SessionScenario } from "./scenarios.js";
import { type Size, userName } from "./session-data.js";

/** A signed-in user, as a client knows him. */
export interface Client {
  readonly cookie: string;
  /** What a contender answers about him. */
  readonly answer: string;
  /** The request that is sent again and again. */
  readonly read: Buffer;
}

/** Signs in users 0 to `count` - 1 through the contender's own route, so that each keeps what it would keep. */
export async function signIn(connections: readonly HttpConnection[], size: Size, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  let n = 0;
  const next = (): Exchange | null => {
    if (n >= count) return null;
    const [path, body] = [ROUTES.login.replace(":size", size).replace(":n", `${n}`), userAnswer(userName(n))];
    n += 1;
    const answered: Exchange["answered"] = (answer) => {
      const cookie = cookieOf(answer);
      if (cookie === "") throw new Error(`${path}: expected a cookie, got none`);
      clients.push(client(cookie, body));
    };
    return { request: httpRequest("POST", path, ""), body, answered };
  };
  await load(connections, next);
  return clients;
}

/** Who asks a contender that has no sessions: it gets a cookie like the others, and gives its constant answer. */
export function strangers(hasCookie: boolean): readonly Client[] {
  return [client(hasCookie ? `session=${"x".repeat(43)}.${"y".repeat(43)}` : "", CONSTANT_ANSWER)];
}

/** Who asks without a cookie where there are sessions. */
export function nobody(): readonly Client[] {
  return [client("", userAnswer(undefined))];
}

function client(cookie: string, answer: string): Client {
  return { cookie, answer, read: httpRequest("GET", ROUTES.me, cookie) };
}

export function noteRequest({ cookie }: Client, digits: string): Buffer {
  return httpRequest("POST", ROUTES.changeNote.replace(":digits", digits), cookie);
}

/** The scenario's requests, each of a client chosen by chance, without end. */
export function requestsOf({ writeEvery }: SessionScenario, clients: readonly Client[]): () => Exchange {
  let sent = 0;
  return () => {
    const chosen = clients[Math.floor(Math.random() * clients.length)];
    if (chosen === undefined) throw new Error("expected clients, got none");
    sent += 1;
    if (writeEvery === 0 || sent % writeEvery !== 0) return { request: chosen.read, body: chosen.answer };
    // Another text each time: a contender that compares before it writes has something to write.
    return { request: noteRequest(chosen, String(sent).padStart(8, "0")), body: chosen.answer };
  };
}
