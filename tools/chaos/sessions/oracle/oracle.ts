import type { SessionHistory, SessionPromises, SessionViolation } from "../session-history.js";
import { checkFields } from "./fields.js";
import { checkExpiries, checkLives } from "./lives.js";
import { livesOf } from "./session-life.js";
import { checkTokens } from "./tokens.js";

/** Every promise of sessions that can be judged from outside. Pure. */
export function judgeSessions(history: SessionHistory, promises: SessionPromises): SessionViolation[] {
  const lives = livesOf(history);
  return [
    ...history.errors.map((message) => ({ rule: "error", session: null, message })),
    ...checkLives(lives, history, promises),
    ...checkExpiries(lives, history, promises),
    ...checkTokens(lives, history, promises),
    ...checkFields(lives),
    ...checkCaps(history, promises),
    ...checkContexts(history),
    ...checkLists(history),
  ];
}

function checkCaps({ calls }: SessionHistory, { perSubject }: SessionPromises): SessionViolation[] {
  return calls
    .filter(({ ids }) => (ids?.length ?? 0) > perSubject)
    .map(({ subject, at, ids }) => {
      return {
        rule: "cap",
        session: null,
        message: `${subject} had ${ids?.length} sessions at ${at}, expected at most ${perSubject}`,
      };
    });
}

function checkContexts({ contexts, living }: SessionHistory): SessionViolation[] {
  return contexts.flatMap(({ id, owner }) => {
    if (owner !== null && living.includes(owner)) return [];
    const rule = owner === null ? "context-lost" : "context-left";
    const message = owner === null ? "it is gone, and its run is not over" : `its owner is ${owner}, which is gone`;
    return [{ rule, session: id, message }];
  });
}

function checkLists({ subjects }: SessionHistory): SessionViolation[] {
  return subjects.flatMap(({ subject, listed, live }) => {
    const differ = [...listed.filter((id) => !live.includes(id)), ...live.filter((id) => !listed.includes(id))];
    return differ.map((id) => ({ rule: "list", session: id, message: `list and session of ${subject} disagree` }));
  });
}
