import type { AnswerEvent, CallEvent, ClientEvent, Direction, Event, FaultEvent, Progress } from "../history.js";
import { type ChaosConfig, readChaosConfig } from "../saga-shapes.js";
import type { SeenRow } from "./journal.js";
import { type Evidence, judge } from "./oracle.js";
import { see, type Violation } from "./seen.js";

/** `a`, then `b1` and `b2` at once, a pivot, then `c`. Only `c` cannot be undone. */
const configOf = (orchestration: string): ChaosConfig =>
  readChaosConfig(`
session: { saga: { orchestration: ${orchestration} } }
services: { s: {} }
long_running:
  tasks:
    - name: saga
      stages:
        - { name: a, service: s }
        - { parallel: [{ name: b1, service: s }, { name: b2, service: s }], pivot: true }
        - { name: c, service: s }
      compensation: [{ stage: a, action: x }, { stage: b1, action: x }, { stage: b2, action: x }]
`);

const TIMEOUT_MS = 1_000;

export interface Told {
  readonly fence?: number;
  readonly attempt?: number;
  readonly instance?: string;
  readonly key?: string;
  readonly outcome?: "completed" | "unknown";
  readonly output?: unknown;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Writes the history of one run, a tick of 10 ms between two events; by default as a faultless runtime makes it. */
export class Story {
  readonly events: Event[] = [];
  readonly rows = new Map<string, SeenRow[]>();
  now = 1_000;
  readonly #config: ChaosConfig;
  #calls = 0;
  readonly #done = new Map<string, string>();

  constructor(orchestration: "orchestration" | "choreography" = "orchestration", definition = "saga") {
    this.#config = configOf(orchestration);
    this.add({ kind: "started", at: this.tick(), instance: "1.1", key: "k", definition, run: "run" });
  }

  tick(ms = 10): number {
    this.now += ms;
    return this.now;
  }

  add(event: Event): void {
    this.events.push(event);
  }

  call(step: string, direction: Direction = "forward", told: Told = {}): number {
    this.#calls += 1;
    const { fence = 1, attempt = this.#calls, instance = `1.${fence}` } = told;
    const forwardKey = `run:${step}`;
    const known = Object.fromEntries([...this.#done].map(([name, reference]) => [name, { reference }]));
    const context = Object.fromEntries([...this.#done].map(([name, reference]) => [`of_${name}`, reference]));
    const event: CallEvent = {
      ...{ kind: "call", at: this.tick(), call: this.#calls, instance, run: "run", step, direction, fence, attempt },
      key: told.key ?? (direction === "forward" ? forwardKey : `${forwardKey}:compensate`),
      outputs: told.outputs ?? known,
      context: told.context ?? context,
      ...(direction === "compensate" && {
        forwardKey,
        outcome: told.outcome ?? (this.#done.has(step) ? "completed" : "unknown"),
        output: told.output ?? known[step] ?? null,
      }),
    };
    this.add(event);
    return this.#calls;
  }

  effect(call: number): void {
    const event = this.events.find((each) => each.kind === "call" && each.call === call);
    if (event?.kind !== "call") throw new Error(`expected call ${call}`);
    const { run, step, direction, key } = event;
    const reference = `${step}-${call}`;
    if (direction === "forward") this.#done.set(step, reference);
    const output = direction === "forward" ? { reference, context: {} } : null;
    this.add({ kind: "effect", at: this.tick(), call, run, step, direction, key, output });
  }

  answer(call: number, status: number | null = 200, why?: AnswerEvent["why"]): void {
    this.add({ kind: "answer", at: this.tick(), call, status, ...(why !== undefined && { why }) });
  }

  /** What it gave, once it is done. */
  referenceOf(step: string): string {
    return this.#done.get(step) ?? "";
  }

  /** Called, done and answered. */
  do(step: string, told: Told = {}): void {
    const call = this.call(step, "forward", told);
    this.effect(call);
    this.answer(call);
  }

  undo(step: string, told: Told = {}): void {
    const call = this.call(step, "compensate", told);
    this.effect(call);
    this.answer(call);
  }

  tell(status: string, run = "run", beside: { progress?: Progress; output?: unknown } = {}): void {
    const asked = this.events.length;
    this.add({ kind: "told", at: this.tick(), instance: "1.1", run, status, asked, ...beside });
  }

  verb(verb: string, reason: string, stage?: string): void {
    const of = stage === undefined ? {} : { stage };
    const event: ClientEvent = { kind: "verb", at: this.tick(), run: "run", ...of, verb, reason };
    this.add(event);
  }

  fault(fault: string, instance: string | null, lengthMs: number): void {
    const event: FaultEvent = { kind: "fault", fault, at: this.now, until: this.now + lengthMs, instance };
    this.add(event);
  }

  row(records: readonly object[], fence = 1, run = "run"): void {
    const rows = this.rows.get(run) ?? [];
    rows.push({ seq: rows.length + 1, fence, at: this.tick(), records });
    this.rows.set(run, rows);
  }

  protected get evidence(): Evidence {
    const seen = see(this.events, this.#config, TIMEOUT_MS);
    return { seen, journals: this.rows, takeovers: [], takeoverBoundMs: 0 };
  }

  protected judge(): readonly Violation[] {
    return judge(this.evidence);
  }

  /** The rules that are broken, each once. */
  get broken(): string[] {
    return [...new Set(this.judge().map(({ rule }) => rule))];
  }
}
