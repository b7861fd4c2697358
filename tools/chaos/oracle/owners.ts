import { type Seen, type SeenRun, sagaRuns, type Violation } from "./seen.js";

/** One owner per fence, where runs have fences, and every attempt is made once. */
export function checkOwners(seen: Seen): Violation[] {
  return sagaRuns(seen).flatMap((run) => [...(seen.isChoreographed ? [] : oneOwner(run)), ...attemptsOnce(run)]);
}

function oneOwner(run: SeenRun): Violation[] {
  const owners = new Map<number, string>();
  return run.calls.flatMap(({ event: { fence, instance } }) => {
    const owner = owners.get(fence) ?? instance;
    owners.set(fence, owner);
    return owner === instance
      ? []
      : [{ rule: "one owner", run: run.id, message: `${owner} and ${instance} both call under fence ${fence}` }];
  });
}

function attemptsOnce(run: SeenRun): Violation[] {
  const attempts = new Set<string>();
  return run.calls.flatMap(({ event: { key, fence, attempt } }) => {
    const name = `attempt ${attempt} of ${key} under fence ${fence}`;
    if (attempts.has(name)) return [{ rule: "attempts once", run: run.id, message: `${name} was made twice` }];
    attempts.add(name);
    return [];
  });
}
