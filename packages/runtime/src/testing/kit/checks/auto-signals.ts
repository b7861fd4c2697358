import { stepOf } from "../../../engine/state.js";
import type { Json } from "../../../json.js";
import type { TestWorld } from "../test-world.js";

/** Sends what steps wait for, as soon as they do; to each process anew, for one that died may not have heard of it. */
export class AutoSignals {
  readonly #world: TestWorld;
  readonly #payloads: Readonly<Record<string, Json>>;
  readonly #isMuted: (step: string) => boolean;
  readonly #sent = new Set<string>();

  /** `isMuted`: the signal that this step waits for does not come. */
  constructor(world: TestWorld, payloads: Readonly<Record<string, Json>>, isMuted: (step: string) => boolean) {
    this.#world = world;
    this.#payloads = payloads;
    this.#isMuted = isMuted;
  }

  send(): void {
    const { journal, functionWaits } = this.#world;
    for (const { id, plan, state } of journal.runs.values()) {
      if (state.end !== null) continue;
      for (const { name, definition } of plan.steps.values()) {
        if (definition.kind !== "wait" || this.#isMuted(name)) continue;
        const { forward, round } = stepOf(state, name);
        if (forward.status === "suspended")
          this.#sendOnce(id, definition.signal, `${name}:${round}:${forward.attempt}`);
      }
    }
    for (const [key, { run, signal }] of functionWaits)
      if (journal.runs.get(run)?.state.end === null) this.#sendOnce(run, signal, key);
  }

  #sendOnce(run: string, signal: string, key: string): void {
    const sent = `${this.#world.processName} ${run} ${key}`;
    if (this.#sent.has(sent)) return;
    this.#sent.add(sent);
    const payload = Object.hasOwn(this.#payloads, signal) ? (this.#payloads[signal] ?? null) : {};
    const request = { actor: "test", idempotencyKey: key };
    // It may end meanwhile, or the store may not answer: then the signal is sent again, or the run says so.
    this.#world.request((manager) =>
      manager.signal(run, signal, payload, request).catch(() => void this.#sent.delete(sent)),
    );
  }
}
