import {
  lastStatus,
  lossesOf,
  referenceOf,
  type Seen,
  type SeenCall,
  type SeenRun,
  type Violation,
} from "../../oracle/seen.js";
import type { FunctionShape } from "../function-shape.js";
import { MARKED_MS } from "./seen-batches.js";

/** A caller reads an answer within that, unless something was done to it, ms. */
const READ_MS = 1_000;

/** A function does its places in order, each under its own key, with what those before gave; and what is saved is not done again. */
export function checkFunctions(seen: Seen, shapes: readonly FunctionShape[]): Violation[] {
  return shapes.flatMap((shape) =>
    [...seen.runs.values()]
      .filter(({ definition }) => definition === shape.name)
      .flatMap((run) => [...keys(run), ...order(run, shape), ...again(seen, run, shape), ...end(run, shape)]),
  );
}

const broken = ({ id }: SeenRun, rule: string, message: string): Violation => ({ rule, run: id, message });

const callsOf = (run: SeenRun, place: string): SeenCall[] =>
  run.calls.filter(({ event }) => event.step === `task/${place}`);

const effectOf = (run: SeenRun, place: string): SeenCall["effect"] =>
  callsOf(run, place).find(({ effect }) => effect !== null)?.effect ?? null;

function keys(run: SeenRun): Violation[] {
  return run.calls
    .filter(({ event }) => event.key !== `${run.id}:${event.step}`)
    .map(({ event }) => broken(run, "function keys", `"${event.step}" was called under ${event.key}`));
}

function order(run: SeenRun, { places, sleepsBefore, sleepMs }: FunctionShape): Violation[] {
  return places.flatMap((group, place) =>
    group
      .flatMap((name) => callsOf(run, name))
      .flatMap((call) => [
        ...places.slice(0, place).flatMap((before) => before.flatMap((name) => notAfter(run, call, name))),
        ...(place < sleepsBefore ? [] : awake(run, call, { places, sleepsBefore, sleepMs })),
      ]),
  );
}

function notAfter(run: SeenRun, { event, order }: SeenCall, before: string): Violation[] {
  const effect = effectOf(run, before);
  if (effect === null || effect.order > order)
    return [broken(run, "function order", `"${event.step}" was called before "${before}" was done`)];
  if (referenceOf(event.outputs[before]) === effect.event.output?.reference) return [];
  return [broken(run, "function order", `"${event.step}" was called with another output of "${before}" than it gave`)];
}

function awake(
  run: SeenRun,
  { event }: SeenCall,
  shape: Pick<FunctionShape, "places" | "sleepsBefore" | "sleepMs">,
): Violation[] {
  const effects = (shape.places[shape.sleepsBefore - 1] ?? []).map((name) => effectOf(run, name)?.event.at ?? 0);
  const ms = event.at - Math.max(0, ...effects);
  if (ms >= shape.sleepMs) return [];
  return [
    broken(
      run,
      "woke early",
      `"${event.step}" was called after ${ms} ms, expected to sleep ${shape.sleepMs} ms before`,
    ),
  ];
}

/** Once the group behind it is called for, its result was saved: nobody who did not lose the run asks for it again. */
function again(seen: Seen, run: SeenRun, { places }: FunctionShape): Violation[] {
  return places.slice(0, -1).flatMap((group, place) => {
    const saved = (places[place + 1] ?? []).flatMap((name) => callsOf(run, name)).sort((a, b) => a.order - b.order)[0];
    if (saved === undefined) return [];
    const repeated = group
      .flatMap((name) => callsOf(run, name))
      .find(
        (call) =>
          call.order > saved.order &&
          lossesOf(seen, call.event.instance, call.event.at - MARKED_MS, call.event.at + READ_MS).length === 0,
      );
    if (repeated === undefined) return [];
    return [
      broken(
        run,
        "saved twice",
        `"${repeated.event.step}" was called again by ${repeated.event.instance}, after "${saved.event.step}"`,
      ),
    ];
  });
}

function end(run: SeenRun, { places }: FunctionShape): Violation[] {
  if (lastStatus(run) !== "completed") return [];
  const missing = places.flat().filter((name) => effectOf(run, name) === null);
  return missing.map((name) => broken(run, "function end", `completed, and "${name}" was never done`));
}
