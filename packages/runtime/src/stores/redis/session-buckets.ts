import { decodeSessionCursor, encodeSessionCursor, type SessionPlace } from "../../store/session-cursor.js";
import { subjectTag } from "../../store/session-id.js";
import type {
  ExpiredSession,
  RenewedOwner,
  SessionOwner,
  SessionPage,
  SessionQuery,
  SessionRecord,
} from "../../store/session-store.js";
import { epochKey, indexKey } from "./keys.js";
import type { ScriptName } from "./scripts.js";
import { decodeText, encodeText, kindOf } from "./session-record.js";

export interface SessionBucketsOptions {
  readonly bases: readonly string[];
  /** Undefined for those that are dead by now. */
  read(ids: readonly string[]): Promise<(SessionRecord | undefined)[]>;
  run(name: ScriptName, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Whether it was live. */
  revoke(id: string): Promise<boolean>;
}

const REVOKED_AT_ONCE = 500;

/**
 * What concerns all sessions, or all contexts of an owner: a script on each bucket, all of them on their way at once. Each
 * bucket answers for itself, so nothing here is one step.
 */
export class SessionBuckets {
  readonly #options: SessionBucketsOptions;

  constructor(options: SessionBucketsOptions) {
    this.#options = options;
  }

  /** `base`: of the subject that is asked for. */
  async list(query: SessionQuery, base: string | undefined): Promise<SessionPage> {
    const { cursor, limit, kind = "login", subject } = query;
    const after = cursor === undefined ? undefined : decodeSessionCursor(cursor);
    const letter = kind === "context" ? "c" : "l";
    const page = async (of: string, keys: readonly string[]): Promise<SessionPlace[]> => {
      const place = [after === undefined ? "-" : String(after.createdAt), after?.id ?? ""];
      const answer = (await this.#options.run("page", keys, [of, ...place, String(limit + 1), letter])) as string[];
      return pairs(answer).map(([createdAt, id]) => ({ createdAt: Number(createdAt), id }));
    };
    const places =
      subject === undefined || base === undefined
        ? (await this.#each((of) => page(of, [of + letter]))).flat().sort(newestFirst)
        : await page(base, [indexKey(base, subjectTag(subject)), epochKey(base, subjectTag(subject))]);
    const shown = places.slice(0, limit);
    const items = (await this.#options.read(shown.map(({ id }) => id))).filter((record) => record !== undefined);
    const last = shown.at(-1);
    return { items, nextCursor: last && places.length > limit ? encodeSessionCursor(last) : null };
  }

  async revokeAll(): Promise<number> {
    return sum(await this.#each((base) => this.#revokeBucket(base)));
  }

  async #revokeBucket(base: string): Promise<number> {
    let ended = 0;
    let absent = 0;
    for (let isMore = true; isMore; ) {
      const args = [base, String(absent), String(REVOKED_AT_ONCE)];
      const answer = await this.#options.run("revoke-bucket", [`${base}l`, `${base}d`], args);
      const [count, seen, ...missing] = answer as [number, number, ...string[]];
      for (const id of missing) if (await this.#options.revoke(id)) ended += 1;
      ended += count;
      absent += missing.length;
      isMore = seen === REVOKED_AT_ONCE;
    }
    return ended;
  }

  /** First how many there are: nearly always none. Then each bucket's share of the limit; again, when others came first. */
  async sweep(limit: number, claimMs: number): Promise<ExpiredSession[]> {
    const claimed: ExpiredSession[] = [];
    while (claimed.length < limit) {
      const due = await this.#each((base) => this.#options.run("due", claimKeys(base), [base]) as Promise<number>);
      if (due.every((count) => count === 0)) break;
      let left = limit - claimed.length;
      const claims = due.map((count, bucket) => {
        const share = Math.min(count, left);
        left -= share;
        if (share === 0) return [];
        const base = this.#options.bases[bucket] as string;
        const keys = [...claimKeys(base), `${base}l`, `${base}c`];
        return this.#options.run("sweep", keys, [base, String(share), String(claimMs)]) as Promise<string[]>;
      });
      for (const answer of await Promise.all(claims)) claimed.push(...pairs(answer).map(expiredOf));
    }
    return claimed;
  }

  async settle(expired: readonly ExpiredSession[], baseOf: (id: string) => string): Promise<void> {
    const members = new Map<string, string[]>();
    for (const session of expired) {
      const base = baseOf(session.id);
      members.set(base, [...(members.get(base) ?? []), memberOf(session)]);
    }
    const settled = [...members].map(([base, ofBase]) => this.#options.run("settle", [`${base}x`], [base, ...ofBase]));
    await Promise.all(settled);
  }

  async renewOwner(owner: string, leaseMs: number, limit: number): Promise<RenewedOwner> {
    const renew = async (
      base: string,
      adoptAtMost: number,
    ): Promise<[owned: number, adopted: number, left: number]> => {
      const args = [base, encodeText(owner), String(leaseMs), String(adoptAtMost)];
      return (await this.#options.run("renew-owner", [`${base}w`, `${base}d`], args)) as [number, number, number];
    };
    const renewed = await this.#each((base) => renew(base, 0));
    let owned = sum(renewed.map(([count]) => count));
    let adopted = 0;
    for (const [bucket, [, , left]] of renewed.entries()) {
      if (left === 0 || adopted >= limit) continue;
      const [, count] = await renew(this.#options.bases[bucket] as string, limit - adopted);
      adopted += count;
      owned += count;
    }
    return { owned, adopted };
  }

  async retireOwner(owner: string): Promise<void> {
    await this.#each((base) => this.#options.run("retire-owner", [`${base}w`], [base, encodeText(owner)]));
  }

  async owners(): Promise<SessionOwner[]> {
    const owners = new Map<string, SessionOwner>();
    const answers = await this.#each((base) => this.#options.run("owners", [`${base}w`], [base]));
    for (const answer of answers as (string | number)[][]) {
      for (let at = 0; at < answer.length; at += 3) {
        const owner = decodeText(answer[at] as string) as string;
        const known = owners.get(owner);
        owners.set(owner, {
          owner,
          leaseExpiresAt: Math.max(known?.leaseExpiresAt ?? 0, Number(answer[at + 1])),
          contexts: (known?.contexts ?? 0) + Number(answer[at + 2]),
        });
      }
    }
    return [...owners.values()].sort((a, b) => (a.owner < b.owner ? -1 : 1));
  }

  #each<Answer>(ask: (base: string) => Promise<Answer>): Promise<Answer[]> {
    return Promise.all(this.#options.bases.map(ask));
  }
}

function claimKeys(base: string): readonly string[] {
  return [`${base}d`, `${base}x`];
}

/** `<kind letter><subject> <id>` and the deadline, as sweep.lua gives them. */
function expiredOf([member, deadline]: readonly [string, string]): ExpiredSession {
  const space = member.indexOf(" ");
  return {
    id: member.slice(space + 1),
    kind: kindOf(member),
    subject: decodeText(member.slice(1, space)),
    expiredAt: Number(deadline),
  };
}

function memberOf({ id, kind, subject, expiredAt }: ExpiredSession): string {
  return `${kind === "context" ? "c" : "l"}${encodeText(subject)} ${id} ${expiredAt}`;
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] as string, flat[2 * n + 1] as string]);
}

function newestFirst(a: SessionPlace, b: SessionPlace): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
