import { abortRequest } from "../engine/abort-request.js";
import type { Message } from "../engine/messages.js";
import { isEnded } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { CloudEvent } from "../events/cloud-event.js";
import type { Json } from "../json.js";
import type { Logger } from "../log.js";
import type { Ports } from "../ports.js";
import type { Unit } from "../saga/definition.js";
import type { EventStore } from "../store/event-store.js";
import type { CreateRun, RunRow, RunStore, Signal, SignalResult } from "../store/run-store.js";
import { undoRunId } from "../worker/child-run-id.js";
import { CoalescingQueue } from "../worker/coalescing-queue.js";
import type { NewRuns } from "../worker/new-runs.js";
import type { Choreographed } from "./choreographed.js";
import { abortRefusedEvent, compensatedEvent } from "./run-events.js";
import { type StageEvent, stageEventOf } from "./stage-events.js";
import { encodeEntry, entered, entryOf, unitRunId } from "./unit-entry.js";
import { isElsewhere, isFollowedElsewhere, type Units, unitBefore } from "./units.js";

export interface ReactionsOptions {
  readonly store: RunStore;
  readonly events: EventStore;
  /** The saga as this service has it, and each of its stages that are performed here by event; none: it knows nothing of it. */
  readonly find: (saga: string, version: string) => readonly Choreographed[];
  readonly newRuns: NewRuns;
  /** Something may lie in the inbox of the run named. */
  readonly poke: (run: string) => void;
  /** Tells a run that is driven here, in passing; as `Worker.tell`. */
  readonly tell: (run: string, message: Message, isAwaited: boolean) => Promise<boolean> | null;
  readonly ports: Ports;
  readonly logger: Logger;
}

/** The run of a unit is the one that is there, dead or alive, whatever another one was to begin with. */
const ANY = "unit";

/**
 * What each unit does about the events of others, and the observer about all of them. Every reaction may be repeated, by this process or
 * another: ids of runs, messages and events follow from the event, and what is there already is left as it is.
 */
export class Reactions {
  readonly #options: ReactionsOptions;
  /** Reactions to many events are under way at once, and share their writes. */
  readonly #signals: CoalescingQueue<Signal, SignalResult>;

  constructor(options: ReactionsOptions) {
    const { store, ports, logger } = options;
    this.#options = options;
    this.#signals = new CoalescingQueue({ name: "events of runs", ports, logger, send: (all) => store.signal(all) });
  }

  /** Nothing is handled any more. */
  close(): void {
    this.#signals.close();
  }

  /** Whether this service has what the event is of, or it is none of its business. */
  knows(of: CloudEvent): boolean {
    const event = stageEventOf(of);
    return event === null || this.#options.find(event.saga, event.version).length > 0;
  }

  /** Errors: `definition-unknown` for a saga or version that is not registered here, `inbox-full`; those of the store. */
  async handle(of: CloudEvent): Promise<void> {
    const event = stageEventOf(of);
    // What comes next of its run waits for it.
    if (event !== null) await this.#handle(event, { unread: true, isAwaited: true });
  }

  /** The same for an event of this process. `unread`: whether its unit may have been told something that it did not read. */
  handleOwn(event: StageEvent, unread = true): Promise<void> {
    return this.#handle(event, { unread, isAwaited: false });
  }

  async #handle(event: StageEvent, { unread, isAwaited }: { unread: boolean; isAwaited: boolean }): Promise<void> {
    const known = this.#known(event);
    // The observer first: what a unit does about it is told by events of its own, which others may be quicker to take.
    const isWritten = isForObserver(known, event) ? this.#tellInPassing(event, isAwaited) : true;
    if (isWritten === null) await this.#tell(event);
    for (const each of known) await this.#react(each, event, unread);
    if ((await isWritten) === false) await this.#tell(event);
  }

  /**
   * It need not be in a message of its own while it is in the outbox or at the broker, and that it is until this reaction is over. Only what
   * adds nothing when it comes again; null: by a message.
   */
  #tellInPassing(event: StageEvent, isAwaited: boolean): Promise<boolean> | null {
    return event.news === "completed" ? this.#options.tell(event.run, this.#telling(event), isAwaited) : null;
  }

  #known(event: StageEvent): readonly Choreographed[] {
    const known = this.#options.find(event.saga, event.version);
    if (known.length === 0) {
      const text = `expected an event of a choreographed saga that is registered here, got ${event.saga}@${event.version}`;
      throw new RuntimeError("definition-unknown", text, { saga: event.saga, version: event.version });
    }
    return known;
  }

  async #react(of: Choreographed, event: StageEvent, unread = true): Promise<void> {
    const { units } = of;
    const { unit, news } = event;
    if (news === "started")
      for (const each of units.all.filter(({ after }) => after.length === 0)) await this.#start(of, each, event);
    if (news === "completed" && unit !== null)
      for (const each of units.all.filter(({ after }) => after.includes(unit))) await this.#start(of, each, event);
    if (news === "failed" || news === "abort") await this.#undo(of, units.turn, event);
    const ended = units.all.find(({ name }) => name === unit);
    if (ended !== undefined && unread && mayHaveMissed(units, ended, news)) await this.#undoIfTold(of, ended, event);
    if (news === "compensated" && unit !== null) {
      const before = unitBefore(units, unit);
      if (before !== undefined) await this.#undo(of, before, event);
    }
  }

  async #start(of: Choreographed, unit: Unit, event: StageEvent): Promise<void> {
    if (isElsewhere(unit)) return;
    const id = unitRunId(event.run, unit.name);
    const isNew = await this.#create(of, unit, event, false);
    if (unit.step === null) await this.#deliver(id, event);
    if (isNew) return;
    const before = of.units.all.find(({ name }) => name === event.unit);
    if (before !== undefined && (await this.#isDead(id))) await this.#undoIfTold(of, before, event);
  }

  /**
   * What a unit is told in the moment of its end it does not read; it is told again now that it says that it ended. Only when it was told: going
   * back keeps its order, and may have to wait for a unit between.
   */
  async #undoIfTold(of: Choreographed, unit: Unit, event: StageEvent): Promise<void> {
    if (isElsewhere(unit)) return;
    const id = unitRunId(event.run, unit.name);
    // Its inbox has the request, read or not.
    const asked = [true, false].map((isLate) => undoRequest(id, event.run, isLate, ""));
    const results = await Promise.all(asked.map((request) => this.#signals.push(request)));
    if (results.includes("duplicate")) await this.#undo(of, unit, event);
  }

  async #isDead(id: string): Promise<boolean> {
    const run = await this.#options.store.get(id);
    return run !== undefined && entryOf(run).isDead;
  }

  /** Tells a gate that one of its wave has completed; what it has to pass on comes with it. */
  async #deliver(gate: string, { id, unit, carried, output, changed }: StageEvent): Promise<void> {
    const payload = { ...carried, output, changed } as unknown as Json;
    await this.#send({ run: gate, id, kind: "signal", name: unit ?? "", payload, actor: "choreography" });
  }

  async #undo(of: Choreographed, unit: Unit, event: StageEvent): Promise<void> {
    if (isElsewhere(unit)) return;
    const { store, events, ports, poke } = this.#options;
    const { version } = event;
    const id = unitRunId(event.run, unit.name);
    // What is found may have changed by the time something is done about it; each turn finds it further on.
    for (;;) {
      const run = await store.get(id);
      if (run === undefined) {
        if (await this.#create(of, unit, event, true)) return;
        continue;
      }
      if (!isEnded(run.status)) {
        const reason = event.error?.message ?? "a later stage was undone";
        if ((await this.#send(undoRequest(id, event.run, event.isLate, reason))) === "ended") continue;
        return poke(id);
      }
      const isDone = run.status === "completed";
      if (isDone && unit === of.units.turn && of.units.hasPivot)
        await events.put([abortRefusedEvent(of.saga, event.run, ports.clock.now())]);
      else if (isDone && canUndo(unit)) await this.#undoEnded(run, event.isLate);
      else
        await events.put([
          compensatedEvent({ name: of.saga.name, version }, unit, event.run, event.isLate, ports.clock.now()),
        ]);
      return;
    }
  }

  async #undoEnded(run: RunRow, isLate: boolean): Promise<void> {
    const input = encodeEntry({ ...entryOf(run), isLate });
    const { type, tenant, definition, version, inputHash, priority, queue, rootId } = run;
    const id = undoRunId(run.id);
    await this.#createRun({
      ...{ id, type, tenant, definition, version, input, inputHash, priority, queue, rootId, restartedFrom: run.id },
      ...{
        sessionId: null,
        parentId: null,
        key: null,
        businessKey: null,
        attributes: null,
        partitionKey: null,
        claim: null,
      },
    });
  }

  async #create(
    { sagas, isObserved }: Choreographed,
    { name, step }: Unit,
    event: StageEvent,
    isDead: boolean,
  ): Promise<boolean> {
    const saga = sagas.get(name);
    if (saga === undefined) throw new Error(`expected the saga of unit "${name}", got none`);
    const id = unitRunId(event.run, name);
    const { input = null, outputs = {}, context = {} } = event.carried ?? {};
    // A gate takes what it passes on from all that it waits for.
    const carried = step === null ? { input, outputs: {}, context: {} } : { input, outputs, context };
    const { run, version } = event;
    const isLate = isDead && event.isLate;
    const entry = encodeEntry({ run, carried, isDead, isLate, ...(!isObserved && { version }) });
    const { newRuns } = this.#options;
    return this.#createRun({
      id,
      tenant: "default",
      type: "saga",
      definition: saga.name,
      version: saga.version,
      key: null,
      inputHash: ANY,
      businessKey: null,
      attributes: null,
      sessionId: null,
      queue: "default",
      partitionKey: null,
      priority: 0,
      input: entry,
      rootId: run,
      parentId: null,
      restartedFrom: null,
      // One that is dead ends in its first row, which is for whoever claims it.
      claim: isDead ? null : newRuns.claim(id, saga.name, saga.version, entered(event.run, carried)),
    });
  }

  /** False: it was there, and perhaps as the opposite of what this one was to be. */
  async #createRun(run: CreateRun): Promise<boolean> {
    const result = await this.#options.newRuns.create(run);
    if (result.kind === "rejected") throw new RuntimeError("input-invalid", result.reason, { run: run.id });
    // A store takes it for the same run sent again.
    return result.kind === "created" && entryOf(result.run).isDead === entryOf(run).isDead;
  }

  async #tell(event: StageEvent): Promise<void> {
    await this.#send({ run: event.run, ...this.#telling(event) });
    this.#options.poke(event.run);
  }

  /** What goes on to the next unit is none of the observer's business. */
  #telling(event: StageEvent) {
    const { id, unit, news } = event;
    const payload = { ...event, carried: null } as unknown as Json;
    const at = this.#options.ports.clock.now();
    return { id, kind: "event", name: `${unit}.${news}`, payload, actor: "choreography", at } as const;
  }

  async #send(signal: Signal): Promise<"accepted" | "ended"> {
    const result = await this.#signals.push(signal);
    if (result === "accepted" || result === "duplicate") return "accepted";
    // Its run is in another service's store, or has been deleted with all that belonged to it.
    if (result === "ended" || result === "not-found") return "ended";
    throw new RuntimeError("inbox-full", `expected run ${signal.run} to take an event, got ${result}`, {
      run: signal.run,
    });
  }
}

function isForObserver(known: readonly Choreographed[], { unit }: StageEvent): boolean {
  return unit !== null && known.some(({ isObserved }) => isObserved);
}

function undoRequest(unit: string, run: string, isLate: boolean, reason: string): Signal {
  const id = abortRequest(run, isLate);
  return { run: unit, id, kind: "verb", name: "cancel", payload: { reason }, actor: "choreography" };
}

function mayHaveMissed(units: Units, ended: Unit, news: StageEvent["news"]): boolean {
  if (news === "failed") return true;
  return news === "completed" && (ended === units.turn || isFollowedElsewhere(units, ended));
}

function canUndo({ step }: Unit): boolean {
  return step?.kind === "action" && step.compensation !== null;
}
