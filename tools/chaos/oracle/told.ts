import type { Seen, SeenRun, Violation } from "./seen.js";

const ENDED = new Set(["completed", "compensated", "failed", "cancelled"]);
const PARKED = new Set(["stuck", "paused"]);

/** What the API told its clients: it keeps its word, and in the end it has an answer for every run. */
export function checkTold(seen: Seen): Violation[] {
  return [
    ...oneRunPerKey(seen),
    ...seen.refused.map(({ key, instance, answer }) => ({
      rule: "refused start",
      run: null,
      message: `${instance} answers ${answer} to a start under key ${key}`,
    })),
    ...seen.unknown.map(({ run, instance }) => ({
      rule: "lost",
      run,
      message: `acknowledged, and ${instance} does not know it`,
    })),
    ...[...seen.runs.values()].flatMap((run) => [...oneEnd(run), ...isOver(run)]),
  ];
}

function oneRunPerKey({ started }: Seen): Violation[] {
  const [runs, keys] = [new Map<string, string>(), new Map<string, string>()];
  return started.flatMap(({ key, run, definition }) => {
    const name = `${definition} ${key}`;
    const [first, other] = [runs.get(name) ?? run, keys.get(run) ?? name];
    runs.set(name, first);
    keys.set(run, other);
    if (first !== run) return [{ rule: "one run per key", run, message: `key ${key} gave ${first} before` }];
    return other === name
      ? []
      : [{ rule: "one run per key", run, message: `the run of ${other} is given for ${name}` }];
  });
}

function oneEnd({ id, told }: SeenRun): Violation[] {
  let end: string | null = null;
  return told.flatMap(({ event: { status, instance } }) => {
    if (end !== null && status !== end)
      return [{ rule: "one end", run: id, message: `told to be ${end}, then by ${instance} to be ${status}` }];
    if (ENDED.has(status)) end = status;
    return [];
  });
}

/** Judged after everything was healed and had its time. */
function isOver({ id, definition, told }: SeenRun): Violation[] {
  const status = told.at(-1)?.event.status;
  if (definition === null)
    return [{ rule: "unasked", run: id, message: "participants were called for a run that no client started" }];
  if (status !== undefined && (ENDED.has(status) || PARKED.has(status))) return [];
  return [{ rule: "over", run: id, message: `neither ended nor parked for good: ${status ?? "nobody could tell"}` }];
}
