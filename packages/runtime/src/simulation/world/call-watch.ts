import { deepStrictEqual } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { itemPath, parseItemPath } from "../../engine/item-path.js";
import type { Direction, JournalRecord } from "../../engine/records.js";
import type { Json } from "../../json.js";
import type { CompensationCall, StepCall } from "../../saga/definition.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { undoRunId } from "../../worker/child-run-id.js";
import { InvariantBroken } from "../invariant-broken.js";
import { presentStory } from "../story.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";

/** A call of a participant, as the process sends it. */
export type SentCall = StepCall | CompensationCall;

/** Judges each call at the moment it is sent: by whom, on what lease, after what, under which key. */
export class CallWatch {
  readonly #clock: ManualClock;
  readonly #world: MemoryWorld;
  readonly #journal: JournalWatch;
  readonly #breaches: Breaches;
  /** Calls without an outcome, by process, run, step and direction. */
  readonly #open = new Map<string, SentCall>();
  calls = 0;

  constructor(clock: ManualClock, world: MemoryWorld, journal: JournalWatch, breaches: Breaches) {
    this.#clock = clock;
    this.#world = world;
    this.#journal = journal;
    this.#breaches = breaches;
  }

  sent(process: string, call: SentCall, direction: Direction): void {
    this.calls += 1;
    this.#breaches.check(() => this.#checkLease(process, call), [2]);
    this.#breaches.check(() => this.#checkDurable(call, direction), [3, 4, 5]);
    const key = `${process} ${call.runId} ${call.stage} ${direction}`;
    const earlier = this.#open.get(key);
    const twice = earlier !== undefined && earlier.fence === call.fence && !earlier.signal.aborted;
    this.#breaches.expect(!twice, 4, () => `${process} performs "${call.stage}" twice at once`);
    this.#open.set(key, call);
  }

  settled(process: string, call: SentCall, direction: Direction): void {
    const key = `${process} ${call.runId} ${call.stage} ${direction}`;
    if (this.#open.get(key) === call) this.#open.delete(key);
  }

  #checkLease(process: string, { runId, stage, fence: sent }: SentCall): void {
    const called = this.#world.runs.get(runId);
    const undoing = this.#world.runs.get(undoRunId(runId));
    const run = undoing ?? called;
    const broken = (message: string) =>
      new InvariantBroken(2, `${process} performs "${stage}" of ${runId}: ${message}`);
    if (run === undefined || called === undefined) throw broken("there is no such run");
    // Whoever undoes a run speaks for it, with fences above those it had.
    const fence = undoing === undefined ? sent : sent - called.fence;
    if (run.fence !== fence) throw broken(`its fence is ${fence}, the newest is ${run.fence}`);
    const owner = this.#journal.ownerOf(run.id, fence);
    if (owner !== process) throw broken(`the run belongs to ${owner}`);
    const worker = run.owner === null ? undefined : this.#world.workers.get(run.owner);
    if (worker === undefined || worker.dead || worker.expiresAt <= this.#clock.now())
      throw broken("its lease has expired, or the run was given up");
  }

  #checkDurable(call: SentCall, direction: Direction): void {
    const run = this.#journal.runs.get(call.runId);
    const undoing = this.#journal.runs.get(undoRunId(call.runId));
    const rows = [...(run?.rows ?? []), ...(undoing?.rows ?? [])];
    const records =
      run === undefined
        ? []
        : presentStory(
            run.plan,
            rows.flatMap((row) => row.records),
          );
    const dispatched = records.findLast(
      (record) =>
        record.kind === "dispatched" &&
        record.step === call.stage &&
        record.direction === direction &&
        record.attempt === call.attempt,
    );
    if (dispatched?.kind !== "dispatched")
      throw new InvariantBroken(3, `"${call.stage}" is performed and its dispatch is not durable`);
    checkKeys(call, direction, dispatched.round);
    const outputs = outputsOf(records);
    for (const [step, output] of Object.entries(call.outputs)) {
      try {
        deepStrictEqual(output, outputs.get(step));
      } catch {
        throw new InvariantBroken(3, `"${call.stage}" sees an output of "${step}" that is not durable`);
      }
    }
    if (direction === "forward" && outputs.has(call.stage))
      throw new InvariantBroken(4, `"${call.stage}" is performed after it completed`);
    const place = parseItemPath(call.stage);
    const expanded = records.findLast((record) => record.kind === "expanded" && record.step === place?.step);
    const item = expanded?.kind === "expanded" && place !== null ? expanded.items[place.index] : undefined;
    if (!isDeepStrictEqual([call.item, call.index], [item, place?.index]))
      throw new InvariantBroken(4, `"${call.stage}" is sent another item than its journal says`);
    const evaluated = records.find((record) => record.kind === "evaluated" && record.step === call.stage);
    const input = evaluated?.kind === "evaluated" ? evaluated.input : undefined;
    if (call.isMapped !== (input !== undefined) || (call.isMapped && !isDeepStrictEqual(call.input, input)))
      throw new InvariantBroken(4, `"${call.stage}" is sent another input than its journal says`);
  }
}

function outputsOf(records: readonly JournalRecord[]): ReadonlyMap<string, Json> {
  const outputs = new Map<string, Json>();
  const signals = new Map<string, Json>();
  const ends = new Map<string, Json>();
  const lists = new Map<string, number>();
  for (const record of records) {
    if (record.kind === "completed") outputs.set(record.step, record.output);
    else if (record.kind === "skipped" || record.kind === "step-skipped") outputs.set(record.step, null);
    else if (record.kind === "signaled") signals.set(record.id, record.payload);
    else if (record.kind === "child-ended") ends.set(record.child, record.output ?? null);
    else if (record.kind === "joined" && record.direction === "forward")
      outputs.set(record.step, ends.get(record.child) ?? null);
    else if (record.kind === "expanded") lists.set(record.step, record.items.length);
    else if (record.kind === "gathered") {
      const paths = Array.from({ length: lists.get(record.step) ?? 0 }, (_, index) => itemPath(record.step, index));
      outputs.set(
        record.step,
        paths.map((path) => outputs.get(path) ?? null),
      );
    } else if (record.kind === "received") outputs.set(record.step, signals.get(record.signal) ?? null);
  }
  return outputs;
}

function checkKeys(call: SentCall, direction: Direction, round: number): void {
  const forwardKey = round === 1 ? `${call.runId}:${call.stage}` : `${call.runId}:${call.stage}:r${round}`;
  const key = direction === "forward" ? forwardKey : `${forwardKey}:compensate`;
  if (call.idempotencyKey !== key) throw new InvariantBroken(4, `expected key ${key}, got ${call.idempotencyKey}`);
  if ("forwardKey" in call && call.forwardKey !== forwardKey)
    throw new InvariantBroken(5, `expected forward key ${forwardKey}, got ${call.forwardKey}`);
}
