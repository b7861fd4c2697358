import { mustBeAlone, needsIsolation } from "../engine/crashes.js";
import { type Decision, decide } from "../engine/decide.js";
import { recordEvaluation } from "../engine/evaluation.js";
import { fold, foldRecord } from "../engine/fold.js";
import { applyMessage } from "../engine/messages.js";
import { recordOutcome } from "../engine/outcome.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord, JournalRow } from "../engine/records.js";
import { type RunState, stepOf } from "../engine/state.js";
import type { StepOutcome, Suspension } from "../engine/step-outcome.js";
import { childKey, stopsForward } from "../engine/steps/child.js";
import { VERBS } from "../engine/verbs.js";
import type { Json } from "../json.js";
import { checkChildrenAtEnd } from "./child-invariants.js";
import { EffectLedger, type KeyedAct } from "./effect-ledger.js";
import { evaluateNow } from "./evaluate-now.js";
import { InvariantBroken } from "./invariant-broken.js";
import { checkAtEnd, checkRow, checkSameState, checkToldWithoutPlan } from "./invariants.js";
import { SIGNALS } from "./random-signals.js";
import type { SeededRandom } from "./seeded-random.js";
import { SimulatedChildren, type ToldEnd } from "./simulated-children.js";
import { onItsWay } from "./simulated-functions.js";

/** The functions under test, so that a test can plant a bug in one of them. */
export interface Core {
  readonly decide: typeof decide;
  readonly fold: typeof fold;
  readonly recordOutcome: typeof recordOutcome;
  readonly recordEvaluation: typeof recordEvaluation;
  /** Planted bug: perform first, write afterwards. */
  readonly performsBeforeAppend?: boolean;
}

export const realCore: Core = { decide, fold, recordOutcome, recordEvaluation };

export interface Schedule {
  readonly plan: RunPlan;
  readonly rows: readonly JournalRow[];
  readonly ledger: EffectLedger;
  readonly state: RunState;
  readonly crashes: number;
  readonly duplicates: number;
  readonly boundaries: number;
}

interface Call extends KeyedAct {
  readonly attempt: number;
  /** Of the owner that sent it; an answer to an earlier owner reaches nobody. */
  readonly fence: number;
  /** The run that it starts; or those that it undoes, the first one whatever is known of it. */
  readonly children: readonly string[] | null;
}

const MAX_EVENTS = 3_000;

/**
 * One random life of one run, against the pure core: crashes before and after every append, attempts that fail in every
 * way, calls that arrive twice or late, an operator with every verb. Throws when an invariant
 * of ARCHITECTURE.md breaks.
 */
export class CoreSimulation {
  readonly #core: Core;
  readonly #random: SeededRandom;
  readonly #plan: RunPlan;
  readonly #ledger = new EffectLedger();
  readonly #rows: JournalRow[] = [];
  readonly #inFlight: Call[] = [];
  /** Calls nobody waits for: sent by a dead owner, or doubled by the network. They may still arrive. */
  readonly #stray: Call[] = [];
  readonly #children: SimulatedChildren;
  /** Ends of children of which the run has not heard. */
  readonly #told: ToldEnd[] = [];
  #state: RunState;
  readonly #createdAt = 1_000_000;
  #now = this.#createdAt;
  #crashes = 0;
  #duplicates = 0;
  #messages = 0;
  /** Steps whose condition said no, in a row that was written. */
  #saidNo: KeyedAct[] = [];
  /** Sides of appends passed so far: before the first one, after it, before the second one, ... */
  #boundaries = 0;
  readonly #crashAt: number | null;

  /** `crashAt`: the one boundary at which the owner dies; without it, it dies at random. */
  constructor(core: Core, random: SeededRandom, plan: RunPlan, crashAt: number | null = null) {
    this.#crashAt = crashAt;
    this.#core = core;
    this.#random = random;
    this.#children = new SimulatedChildren(random, this.#ledger);
    this.#plan = plan;
    this.#state = core.fold(plan, this.#now, []);
    this.#state.fence = 1;
  }

  run(): Schedule {
    this.#step([]);
    for (let event = 0; this.#state.phase !== "ended"; event++) {
      if (event > MAX_EVENTS) throw new Error("expected the run to end or to be parked, it did neither");
      if (!this.#happen()) break;
    }
    for (const call of this.#stray.splice(0)) this.#arrive(call);
    const schedule = { plan: this.#plan, rows: this.#rows, ledger: this.#ledger, state: this.#state };
    checkAtEnd(schedule);
    checkToldWithoutPlan(this.#core.fold(null, this.#createdAt, this.#rows), this.#state);
    if (this.#state.end !== null) checkChildrenAtEnd(this.#rows, this.#state.end.status, this.#children.open);
    for (const act of this.#saidNo)
      if (this.#ledger.has(act))
        throw new InvariantBroken(5, `"${act.step}" was performed though its condition said no`);
    return { ...schedule, crashes: this.#crashes, duplicates: this.#duplicates, boundaries: this.#boundaries };
  }

  /** One event. False: the run is parked and the operator leaves it so. */
  #happen(): boolean {
    const random = this.#random;
    if (this.#stray.length > 0 && random.chance(0.2)) this.#strayArrives();
    if (this.#crashAt === null && random.chance(0.05)) this.#crash();
    if (random.chance(0.03)) this.#operate(random.pick(["cancel", "cancel", "pause", "pause", "compensate"]));
    if (random.chance(0.04)) this.#signal();
    if (random.chance(0.1)) this.#childEnds();
    if (this.#told.length > 0 && random.chance(0.3)) this.#hearOfChild();
    if (this.#state.stuck !== null || (this.#state.paused && this.#inFlight.length === 0)) {
      if (random.chance(0.1)) return false;
      this.#operate(random.pick(["resume", "resume", "retry", ...VERBS]));
      return true;
    }
    if (this.#inFlight.length > 0) this.#answer();
    else this.#waitUntilDue();
    return true;
  }

  #waitUntilDue(): void {
    if (this.#random.chance(0.2)) return this.#signal();
    if (this.#told.length > 0) return this.#hearOfChild();
    if (this.#children.open.length > 0 && this.#random.chance(0.8)) return this.#childEnds();
    const { wakeAt } = this.#core.decide(
      this.#plan,
      this.#core.fold(this.#plan, this.#createdAt, this.#rows),
      this.#now,
    );
    if (wakeAt !== null) this.#now = Math.max(this.#now, wakeAt);
    this.#step([]);
  }

  #answer(): void {
    const [call] = this.#inFlight.splice(this.#random.below(this.#inFlight.length), 1);
    if (call === undefined) return;
    this.#now += this.#random.below(500);
    if (this.#goesOn(call)) return;
    const outcome = call.children === null ? this.#participate(call) : this.#performChild(call, call.children);
    // What was refused, or never arrived, is not done later: a participant stands by its answer.
    const mayArriveAgain = outcome.kind === "completed" || (outcome.kind === "failed" && outcome.mayHaveRun);
    if (mayArriveAgain && this.#random.chance(0.1)) this.#stray.push(call);
    this.#step([this.#core.recordOutcome(this.#plan, this.#state, call, outcome, () => this.#random.float())]);
  }

  /** A function that has not come to its end says something, or waits. */
  #goesOn(call: Call): boolean {
    if (this.#plan.steps.get(call.step)?.definition.kind !== "function") return false;
    const next = onItsWay(stepOf(this.#state, call.step), this.#random);
    if (next === null) return false;
    if ("says" in next) this.#inFlight.push(call);
    this.#step([
      "says" in next ? next.says : this.#core.recordOutcome(this.#plan, this.#state, call, next.parks, () => 0),
    ]);
    return true;
  }

  /** A participant does what it does, and what is known of it afterwards. */
  #participate(call: Call): StepOutcome {
    const random = this.#random;
    const error = { code: "simulated", message: "simulated" };
    const dice = random.float();
    if (dice < 0.7) {
      this.#ledger.apply(call);
      return { kind: "completed", output: { by: call.attempt } };
    }
    if (dice < 0.76) return { kind: "refused", error };
    if (dice < 0.84) return { kind: "failed", error, mayHaveRun: false, retry: true };
    // Executed, and the caller sees a timeout; or it is still on its way.
    if (dice < 0.92) this.#ledger.apply(call);
    else this.#stray.push(call);
    const retry = call.direction === "compensate" || random.chance(0.9);
    return { kind: "failed", error, mayHaveRun: true, retry, ...(random.chance(0.2) && { retryAfterMs: 1_500 }) };
  }

  /** As with participants: it is done, or not, or nobody hears of it. */
  #performChild(call: Call, children: readonly string[]): StepOutcome | Suspension {
    const random = this.#random;
    const error = { code: "simulated", message: "simulated" };
    if (call.direction === "forward" && random.chance(0.03)) return { kind: "refused", error };
    const isDone = random.chance(0.85);
    const isHeardOf = isDone && random.chance(0.9);
    const done = isDone ? this.#bring(call, children) : null;
    if (done === null || !isHeardOf) return { kind: "failed", error, mayHaveRun: true, retry: true };
    if (done === "given-up") return { kind: "refused", error };
    return done === "undone" ? { kind: "completed", output: null } : done;
  }

  #bring(call: Call, children: readonly string[]): ReturnType<SimulatedChildren["undo"]> {
    if (call.direction === "forward") return this.#children.start(children[0] ?? call.step, call);
    for (const child of children) {
      const done = this.#children.undo(child, call);
      if (done !== "undone") return done;
    }
    return "undone";
  }

  /** A call has its effect, and nobody waits for the answer. */
  #arrive(call: Call): void {
    if (call.children !== null) this.#bring(call, call.children);
    else this.#ledger.apply(call);
  }

  #childEnds(): void {
    const end = this.#children.end();
    if (end !== null) this.#told.push(end);
  }

  /** The message stays in the inbox until a row consumes it. */
  #hearOfChild(): void {
    const [end] = this.#told;
    if (end === undefined || this.#state.phase === "ended") return;
    this.#message("child", "child", { ...end, output: null, error: null });
    const records = this.#rows.flatMap((row) => row.records);
    if (records.some((record) => record.kind === "child-ended" && record.child === end.run)) this.#told.shift();
  }

  #strayArrives(): void {
    const [call] = this.#stray.splice(this.#random.below(this.#stray.length), 1);
    if (call === undefined) return;
    this.#duplicates += 1;
    this.#arrive(call);
  }

  #operate(verb: string): void {
    const step = verb === "retry" && this.#random.chance(0.5) ? this.#random.pick([...this.#plan.steps.keys()]) : null;
    this.#message("verb", verb, { reason: "simulated", ...(step !== null && { step }) });
  }

  /** At any time, wanted or not. */
  #signal(): void {
    this.#now += this.#random.below(3_000);
    this.#message("signal", this.#random.pick(SIGNALS), this.#messages);
  }

  #message(kind: "verb" | "signal" | "child", name: string, payload: Json): void {
    if (this.#state.phase === "ended") return;
    this.#messages += 1;
    // It lay in the inbox for a while.
    const at = this.#now - this.#random.below(2_000);
    const message = { id: `message-${this.#messages}`, kind, name, payload, actor: "operator", at };
    this.#step(applyMessage(this.#plan, this.#state, message));
  }

  /** Folds what happened, decides, appends (crashing before or after, at times), performs. */
  #step(arrived: readonly JournalRecord[]): void {
    const records = [...arrived];
    for (const record of records) foldRecord(this.#plan, this.#state, record, this.#now);
    const saidNo: KeyedAct[] = [];
    for (let open = this.#state.phase !== "ended"; open; ) {
      const { evaluate, records: decided } = this.#decideApart();
      records.push(...decided);
      for (const step of evaluate) {
        const evaluation = evaluateNow(this.#plan, this.#state, step, this.#now);
        const round = this.#state.steps.get(step)?.round ?? 1;
        if (evaluation.kind === "skip") saidNo.push({ step, direction: "forward", round });
        const record = this.#core.recordEvaluation(this.#plan, this.#state, step, evaluation);
        foldRecord(this.#plan, this.#state, record, this.#now);
        records.push(record);
      }
      open = evaluate.length > 0;
    }
    if (records.length === 0) return;
    const calls = records.flatMap((record) => (record.kind === "dispatched" ? [this.#callOf(record)] : []));
    if (this.#core.performsBeforeAppend) this.#inFlight.push(...calls);
    if (this.#crashesHere()) return this.#crash();
    this.#append(records);
    // In a new round it may say yes.
    if (records.some(({ kind }) => kind === "forward-again" || kind === "retry-requested")) this.#saidNo = [];
    this.#saidNo.push(...saidNo);
    if (records.some(stopsForward)) this.#cancelChildren();
    if (this.#crashesHere()) return this.#crash();
    if (!this.#core.performsBeforeAppend) this.#inFlight.push(...calls);
  }

  #callOf({ step, direction, attempt, round }: JournalRecord & { kind: "dispatched" }): Call {
    const state = stepOf(this.#state, step);
    const isChild = this.#plan.steps.get(step)?.definition.kind === "child";
    const current = direction === "forward" || state.forward.status === "done" || state.forward.mayHaveRun;
    const children = [...(current ? [state.child ?? childKey(state)] : []), ...state.leftovers.toReversed()];
    return { step, direction, attempt, round, fence: this.#state.fence, children: isChild ? children : null };
  }

  #cancelChildren(): void {
    for (const { name, definition } of this.#plan.steps.values()) {
      const step = stepOf(this.#state, name);
      if (definition.kind === "child" && step.forward.mayHaveRun) this.#children.cancel(step.child ?? childKey(step));
    }
  }

  /** As a worker does it. */
  #decideApart(): Pick<Decision, "records" | "evaluate"> {
    const isSuspect = needsIsolation(this.#state.crashes);
    const { records, evaluate } = this.#core.decide(this.#plan, this.#state, this.#now);
    if (!isSuspect || !records.some(({ kind }) => kind === "dispatched")) return { records, evaluate };
    const isolated = { kind: "isolated", alone: mustBeAlone(this.#state.crashes, this.#plan.maxCrashes) } as const;
    foldRecord(this.#plan, this.#state, isolated, this.#now);
    return { records: [isolated, ...records], evaluate };
  }

  #crashesHere(): boolean {
    this.#boundaries += 1;
    return this.#crashAt === null ? this.#random.chance(0.04) : this.#boundaries === this.#crashAt;
  }

  #append(records: readonly JournalRecord[]): void {
    const seq = this.#rows.length + 1;
    const row: JournalRow = {
      v: 1,
      run: "run",
      seq,
      fence: this.#state.fence,
      appendId: String(seq),
      at: this.#now,
      records,
    };
    checkRow(this.#plan, this.#rows, row);
    this.#rows.push(row);
    this.#state.seq = seq;
    checkSameState(this.#core.fold(this.#plan, this.#createdAt, this.#rows), this.#state);
  }

  /** The owner dies. What it had sent may still arrive; its answers reach nobody. Another owner takes over. */
  #crash(): void {
    if (this.#rows.at(-1)?.records.some((record) => record.kind === "finished")) return;
    this.#crashes += 1;
    for (const call of this.#inFlight.splice(0)) {
      if (this.#random.chance(0.5)) this.#arrive(call);
      else this.#stray.push(call);
    }
    this.#now += this.#random.below(20_000);
    const fence = (this.#rows.at(-1)?.fence ?? 1) + 1;
    const seq = this.#rows.length + 1;
    // At times the owner was only slow to hand the run over.
    const crashed = this.#random.chance(0.8) && ({ crashed: true } as const);
    const records = [{ kind: "claimed", worker: `worker-${fence}`, ...crashed }] as const;
    this.#rows.push({ v: 1, run: "run", seq, fence, appendId: String(seq), at: this.#now, records });
    this.#state = this.#core.fold(this.#plan, this.#createdAt, this.#rows);
    this.#step([]);
  }
}
