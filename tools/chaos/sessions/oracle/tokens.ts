import type { SessionHistory, SessionPromises, SessionViolation } from "../session-history.js";
import { mayHaveEnded } from "./lives.js";
import type { SessionLife } from "./session-life.js";

const SLACK_MS = 5;

/** A token is good until it is replaced and its grace is over; all who come in the grace get the same successor. */
export function checkTokens(
  lives: readonly SessionLife[],
  history: SessionHistory,
  promises: SessionPromises,
): SessionViolation[] {
  return lives.flatMap((life) => {
    const { id, calls } = life;
    const found: SessionViolation[] = [];
    const add = (rule: string, message: string): void => void found.push({ rule, session: id, message });
    const uses = calls.filter(({ token, op }) => token !== undefined && op !== "create");
    const rotations = calls.filter(({ op, outcome }) => op === "rotate" && outcome === "ok");
    for (const { token, until, graceMs = 0 } of rotations) {
      const late = uses.find(
        (use) => use.token === token && use.outcome === "ok" && use.at > until + graceMs + SLACK_MS,
      );
      if (late)
        add(
          "old-token",
          `${late.op} at ${late.at} took a token that was replaced at ${until}, with ${graceMs} ms of grace`,
        );
    }
    const successors = new Map<string, string>();
    for (const { token, newToken, outcome } of uses) {
      if (outcome !== "ok" || token === undefined || newToken === undefined || newToken === null) continue;
      const known = successors.get(token);
      if (known !== undefined && known !== newToken)
        add("two-successors", `a token was replaced by ${known} and by ${newToken}`);
      successors.set(token, newToken);
    }
    const issued = new Set([...successors.values(), calls.find(({ op }) => op === "create")?.newToken]);
    for (const use of uses) {
      if (use.outcome !== "none" || !issued.has(use.token)) continue;
      const replaced = calls.some(({ op, token, at }) => op === "rotate" && token === use.token && at < use.until);
      const deadline = Math.max(
        ...calls.filter((one) => one.outcome === "ok" && one.until < use.at).map((one) => one.expiresAt ?? 0),
      );
      if (replaced || use.until >= deadline - SLACK_MS || mayHaveEnded(life, use, history, promises)) continue;
      add("token-refused", `${use.op} at ${use.at} found none behind a token that nobody had replaced`);
    }
    return found;
  });
}
