import type { SessionCallEvent, SessionHistory, SessionPromises, SessionViolation } from "../session-history.js";
import type { SessionLife } from "./session-life.js";

/** Between this machine's clock and the whole milliseconds of Redis. */
const SLACK_MS = 5;

/** No session ends that nobody ended, and none that ended is ever live again. */
export function checkLives(
  lives: readonly SessionLife[],
  history: SessionHistory,
  promises: SessionPromises,
): SessionViolation[] {
  return lives.flatMap((life) => [...checkEnd(life, history, promises), ...checkLoss(life, history, promises)]);
}

function checkEnd(life: SessionLife, { expired }: SessionHistory, { absoluteMs }: SessionPromises): SessionViolation[] {
  const { id, calls, created, ofSubject } = life;
  const found: SessionViolation[] = [];
  const ended: { readonly at: number; readonly by: string }[] = [
    ...calls
      .filter(({ op, outcome }) => op === "destroy" && outcome !== "unknown")
      .map(({ until }) => ({ at: until, by: "destroy" })),
    ...calls
      .filter(({ op, outcome }) => isById(op) && outcome === "none")
      .map(({ until, op }) => ({ at: until, by: `${op} found none` })),
    ...ofSubject
      .filter(({ op, outcome, at }) => op === "revokeSubject" && outcome === "ok" && at > created.until)
      .map(({ until }) => ({ at: until, by: "revokeSubject" })),
    ...expired.filter(({ session }) => session === id).map(({ at }) => ({ at, by: "its expiry was told" })),
  ];
  const end = ended.sort((a, b) => a.at - b.at)[0];
  const accepted = calls.filter(({ outcome, op }) => outcome === "ok" && op !== "create" && op !== "destroy");
  const late = end && accepted.find(({ at }) => at > end.at);
  if (end && late) found.push(violation("resurrected", life, `${told(late)}, ended before by ${end.by} at ${end.at}`));
  const absolute = (created.createdAt ?? created.until) + absoluteMs;
  const beyond = accepted.find(({ at }) => at > absolute + SLACK_MS);
  if (beyond)
    found.push(violation("beyond-deadline", life, `${told(beyond)}, after its absolute deadline ${absolute}`));
  return found;
}

function checkLoss(life: SessionLife, history: SessionHistory, promises: SessionPromises): SessionViolation[] {
  const missed = life.calls.find(
    (call) =>
      isById(call.op) &&
      call.outcome === "none" &&
      !mayHaveEnded(life, call, history, promises) &&
      !mayHaveExpired(life, call),
  );
  return missed === undefined
    ? []
    : [violation("lost", life, `${told(missed)}: there was none, and nobody had ended it`)];
}

/** Somebody may have ended it before the call was answered, by anything but its deadline. */
export function mayHaveEnded(
  life: SessionLife,
  { at, until }: Pick<SessionCallEvent, "at" | "until">,
  { redisKills }: SessionHistory,
  { persistence, perSubject }: SessionPromises,
): boolean {
  const { created, ofSubject, calls } = life;
  const before = (call: SessionCallEvent): boolean => call.at < until;
  if (calls.some((call) => call.op === "destroy" && before(call))) return true;
  if (ofSubject.some((call) => call.op === "revokeSubject" && call.until > created.at && before(call))) return true;
  // Who is evicted is the oldest: as many as are allowed are at least as new.
  const newer = ofSubject.filter(
    (call) => call.op === "create" && call !== created && call.until > created.at && before(call),
  );
  if (newer.length >= perSubject) return true;
  if (persistence === "none" && redisKills.some((kill) => kill > created.at && kill < until)) return true;
  return life.reuses.some((use) => use.at < until) || at < created.until;
}

function mayHaveExpired({ calls }: SessionLife, { at, until }: SessionCallEvent): boolean {
  const known = calls.filter((call) => call.outcome === "ok" && call.until < at).map(({ expiresAt }) => expiresAt ?? 0);
  return until >= Math.max(0, ...known) - SLACK_MS;
}

/** Each session that only its deadline ended was told of, and none too early, and none that had been ended. */
export function checkExpiries(
  lives: readonly SessionLife[],
  history: SessionHistory,
  promises: SessionPromises,
): SessionViolation[] {
  return lives.flatMap((life) => {
    const { id, calls } = life;
    const told = history.expired.filter(({ session }) => session === id);
    const always = { at: Number.POSITIVE_INFINITY, until: Number.POSITIVE_INFINITY };
    if (told.length === 0)
      return mayHaveEnded(life, always, history, promises)
        ? []
        : [violation("expiry-untold", life, "nobody was told that it expired")];
    const deadline = Math.max(
      ...calls.filter(({ outcome }) => outcome === "ok").map(({ expiresAt }) => expiresAt ?? 0),
    );
    const early = told.find(({ expiredAt }) => expiredAt < deadline);
    const revoked = calls.find(({ op, outcome }) => op === "destroy" && outcome === "ok");
    return [
      ...(early
        ? [violation("expired-early", life, `told to have expired at ${early.expiredAt}, its deadline was ${deadline}`)]
        : []),
      ...(revoked ? [violation("revoked-expired", life, "told to have expired, and it had been revoked")] : []),
    ];
  });
}

/** By its id, so that no token decides. */
function isById(op: SessionCallEvent["op"]): boolean {
  return op === "get" || op === "write" || op === "increment";
}

function violation(rule: string, { id }: SessionLife, message: string): SessionViolation {
  return { rule, session: id, message };
}

function told({ op, at, until, instance }: SessionCallEvent): string {
  return `${op} at ${at} to ${until} by ${instance}`;
}
