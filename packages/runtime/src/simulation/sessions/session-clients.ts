import type { SessionStore } from "../../store/session-store.js";
import { idOf } from "../../testing/session-store/world.js";
import { SeededRandom } from "../seeded-random.js";
import type { SessionCall } from "./session-call.js";
import type { SessionHistory } from "./session-history.js";

export interface SessionClientsOptions {
  readonly seed: number;
  /** Instances over the same sessions; clients have one each, by turns. */
  readonly stores: readonly SessionStore[];
  readonly history: SessionHistory;
  /** Default 4. */
  readonly clients?: number;
  /** Before each call, and so that calls overlap in ever other ways. */
  readonly pause: Pause;
  /** False: no limits per subject, whose order depends on the store's clock. Default true. */
  readonly limits?: boolean;
  /** Of rotations; drawn from it. Default none, and 100 ms. */
  readonly graces?: readonly number[];
}

/** What a client waits for before it asks this store. */
export type Pause = (random: SeededRandom, store: SessionStore) => Promise<void>;

type Call = Exclude<SessionCall, { readonly kind: "advance" }>;

/** What is asked, and how often. */
const WEIGHTS: Readonly<Record<Call["kind"], number>> = {
  ...{ create: 12, load: 26, loadById: 9, commit: 26, rotate: 19, revoke: 5, revokeSubject: 3 },
};
const KINDS = (Object.keys(WEIGHTS) as Call["kind"][]).flatMap((kind) =>
  Array.from({ length: WEIGHTS[kind] }, () => kind),
);

/** Callers of a few sessions, who know each other's tokens and revisions, new and old. What each of them asks is drawn by seed. */
export class SessionClients {
  readonly #options: SessionClientsOptions;
  readonly #subject: string;
  readonly #ids: readonly string[];
  /** Newest last. */
  readonly #tokens = new Map<string, string[]>();
  readonly #revisions = new Map<string, number>();
  readonly #randoms: readonly SeededRandom[];
  #made = 0;

  constructor(options: SessionClientsOptions) {
    this.#options = options;
    const { seed, clients = 4 } = options;
    this.#subject = `subject ${seed}`;
    this.#ids = [idOf("a", this.#subject), idOf("b", this.#subject), idOf(`n${seed}`)];
    this.#randoms = Array.from({ length: clients }, (_, n) => new SeededRandom(seed * 7_919 + n * 104_729));
  }

  /** Each client asks so often; resolves when all are done. */
  async run(calls: number): Promise<void> {
    await Promise.all(this.#randoms.map((random, n) => this.#client(n, random, calls)));
  }

  async #client(n: number, random: SeededRandom, calls: number): Promise<void> {
    const { stores, history, pause } = this.#options;
    const store = stores[n % stores.length] as SessionStore;
    for (let call = 0; call < calls; call += 1) {
      await pause(random, store);
      const asked = this.#draw(random);
      const answer = await history.call(`client ${n}`, store, asked);
      this.#learn(asked, answer);
    }
  }

  #draw(random: SeededRandom): Call {
    const id = random.pick(this.#ids);
    const isOfSubject = id !== this.#ids[2];
    const kind = random.pick(KINDS);
    // Nothing is there at first.
    const { limits = true, graces = [0, 100, 100] } = this.#options;
    if (kind === "create" || !this.#tokens.has(id)) {
      const limit =
        limits && isOfSubject && random.chance(0.3)
          ? { max: 1, policy: random.pick(["deny", "evict-oldest"] as const) }
          : null;
      const made = { token: this.#newToken(id), field: `f${random.below(3)}`, limit };
      return { kind: "create", id, subject: isOfSubject ? this.#subject : null, ...made };
    }
    switch (kind) {
      case "load":
        return { kind, id, token: this.#token(id, random), touch: random.chance(0.6) };
      case "commit": {
        this.#made += 1;
        const set = random.chance(0.9) ? { [`f${random.below(3)}`]: this.#made } : {};
        const unset = random.chance(0.15) ? [`f${random.below(3)}`] : [];
        const known = this.#revisions.get(id) ?? 1;
        const revision = random.chance(0.35) ? known : null;
        return { kind, id, set, unset: unset.filter((key) => !(key in set)), revision, head: random.chance(0.2) };
      }
      case "rotate":
        return { kind, id, from: this.#token(id, random), to: this.#newToken(id), graceMs: random.pick(graces) };
      case "revokeSubject":
        return { kind, subject: this.#subject, except: random.chance(0.3) ? (this.#ids[0] as string) : null };
      case "loadById":
      case "revoke":
        return { kind, id };
    }
  }

  /** Mostly one of the newest. */
  #token(id: string, random: SeededRandom): string {
    const tokens = this.#tokens.get(id) ?? [];
    return random.pick(random.chance(0.6) ? tokens.slice(-2) : tokens);
  }

  #newToken(id: string): string {
    this.#made += 1;
    const token = `t${this.#made}`;
    this.#tokens.set(id, [...(this.#tokens.get(id) ?? []), token]);
    return token;
  }

  #learn(call: Call, answer: string | null): void {
    const revision = /^revision (\d+) /.exec(answer ?? "")?.[1];
    if (revision !== undefined && call.kind !== "revokeSubject") this.#revisions.set(call.id, Number(revision));
  }
}
