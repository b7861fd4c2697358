import type { SessionCallEvent, SessionHistory } from "../session-history.js";

/** All that was seen of one session. */
export interface SessionLife {
  readonly id: string;
  readonly created: SessionCallEvent;
  /** Of it alone, its creation among them. */
  readonly calls: readonly SessionCallEvent[];
  /** Of its subject: creations, ends of all, lists. */
  readonly ofSubject: readonly SessionCallEvent[];
  /** Uses of a token that had been replaced and whose grace may have been over: they may have ended it. */
  readonly reuses: readonly SessionCallEvent[];
}

export function livesOf({ calls }: SessionHistory): SessionLife[] {
  const bySession = group(calls, ({ session }) => session);
  const bySubject = group(
    calls.filter(({ op }) => op === "create" || op === "revokeSubject" || op === "list"),
    ({ subject }) => subject,
  );
  const lives: SessionLife[] = [];
  for (const [id, own] of bySession) {
    const created = own.find(({ op, outcome }) => op === "create" && outcome === "ok");
    if (created === undefined) continue;
    lives.push({ id, created, calls: own, ofSubject: bySubject.get(created.subject) ?? [], reuses: reusesIn(own) });
  }
  return lives;
}

function reusesIn(calls: readonly SessionCallEvent[]): SessionCallEvent[] {
  const rotations = calls.filter(({ op, outcome }) => op === "rotate" && outcome !== "none");
  return calls.filter((use) => {
    if (use.token === undefined || use.outcome === "ok") return false;
    const replaced = rotations.filter(
      (rotation) => rotation !== use && rotation.token === use.token && rotation.at < use.until,
    );
    const others = rotations.filter(
      (rotation) => rotation !== use && rotation.token !== use.token && rotation.at < use.until,
    );
    return replaced.some(({ at, graceMs = 0 }) => others.length > 0 || use.until >= at + graceMs);
  });
}

function group<Item>(items: readonly Item[], keyOf: (item: Item) => string | null): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}
