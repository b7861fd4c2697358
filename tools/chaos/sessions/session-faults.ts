import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "@clean-arch/test-servers";
import { Draws } from "../seeded.js";
import { nowMs } from "./session-history.js";
import type { SessionInstance } from "./session-instance.js";

/** One thing that goes wrong. Which instance it hits is drawn when it happens. */
export type SessionFault =
  /** SIGKILL of Redis, and a start. */
  | { readonly kind: "restart"; readonly downMs: number }
  /** SIGSTOP of Redis for longer than the commands' timeout. */
  | { readonly kind: "pause"; readonly forMs: number }
  /** SIGKILL of an instance. */
  | { readonly kind: "kill"; readonly bootAfterMs: number }
  /** An instance's connections break, or carry nothing any more and stay open. */
  | { readonly kind: "reset" }
  | { readonly kind: "silence" }
  /** The reply to a change is lost after it was carried out. */
  | { readonly kind: "swallow"; readonly ending: "reset" | "silence" }
  | { readonly kind: "slow"; readonly forMs: number; readonly latencyMs: number; readonly jitterMs: number };

export interface PlannedSessionFault {
  /** From the start, ms. */
  readonly at: number;
  readonly fault: SessionFault;
}

/** The mean time between two faults of a kind, ms. */
const EVERY_MS: Readonly<Record<SessionFault["kind"], number>> = {
  ...{ restart: 9_000, pause: 11_000, kill: 5_000, reset: 4_000, silence: 9_000, swallow: 900, slow: 6_000 },
};

/** For one seed always the same, and for a longer time the same at first. */
export function sessionFaults(seed: number, lengthMs: number, commandTimeoutMs: number): PlannedSessionFault[] {
  const planned = (Object.keys(EVERY_MS) as SessionFault["kind"][]).flatMap((kind) => {
    const draws = new Draws(seed, "session fault", kind);
    const faults: PlannedSessionFault[] = [];
    for (
      let at = EVERY_MS[kind] * draws.between(0.3, 0.8);
      at < lengthMs;
      at += EVERY_MS[kind] * draws.between(0.7, 1.3)
    )
      faults.push({ at, fault: draw(kind, draws, commandTimeoutMs) });
    return faults;
  });
  return planned.sort((a, b) => a.at - b.at);
}

function draw(kind: SessionFault["kind"], draws: Draws, commandTimeoutMs: number): SessionFault {
  switch (kind) {
    case "restart":
      return { kind, downMs: draws.chance(0.4) ? 0 : draws.between(0, 1_500) };
    case "pause":
      return { kind, forMs: commandTimeoutMs * draws.between(1.1, 3) };
    case "kill":
      return { kind, bootAfterMs: draws.between(0, 1_000) };
    case "swallow":
      return { kind, ending: draws.chance(0.8) ? "reset" : "silence" };
    case "slow":
      return {
        kind,
        forMs: draws.between(500, 2_000),
        latencyMs: draws.between(2, 60),
        jitterMs: draws.between(0, 40),
      };
    case "reset":
    case "silence":
      return { kind };
  }
}

/** Carries the faults out, and heals everything in the end. */
export class SessionMischief {
  readonly counts = new Map<SessionFault["kind"], number>();
  /** When Redis was killed. */
  readonly redisKills: number[] = [];
  readonly #redis: Redis;
  readonly #instances: readonly SessionInstance[];
  readonly #draws: Draws;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #ofRedis: Promise<void> = Promise.resolve();
  #schedule: Promise<void> = Promise.resolve();

  constructor(seed: number, redis: Redis, instances: readonly SessionInstance[]) {
    this.#redis = redis;
    this.#instances = instances;
    this.#draws = new Draws(seed, "session mischief");
  }

  start(planned: readonly PlannedSessionFault[]): void {
    this.#schedule = this.#run(planned);
  }

  async heal(): Promise<void> {
    this.#stopping.abort();
    await this.#schedule;
    await Promise.all(this.#underWay);
    for (const { proxy } of this.#instances) {
      proxy.calm();
      // Also the silent ones.
      proxy.reset();
    }
    for (const instance of this.#instances) instance.boot();
  }

  async #run(planned: readonly PlannedSessionFault[]): Promise<void> {
    const startedAt = performance.now();
    for (const { at, fault } of planned) {
      await this.#pause(at - (performance.now() - startedAt));
      if (this.#stopping.signal.aborted) return;
      const done = this.#do(fault);
      this.#underWay.add(done);
      void done.finally(() => this.#underWay.delete(done));
      this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    }
  }

  #do(fault: SessionFault): Promise<void> {
    const { proxy } = this.#draws.pick(this.#instances);
    switch (fault.kind) {
      case "restart":
      case "pause":
        // One after the other.
        this.#ofRedis = this.#ofRedis.then(() => this.#harmRedis(fault));
        return this.#ofRedis;
      case "kill":
        return this.#kill(fault.bootAfterMs);
      case "reset":
        proxy.reset();
        return Promise.resolve();
      case "silence":
        proxy.silence();
        return Promise.resolve();
      case "swallow":
        if (proxy.armed === 0) proxy.swallow({ request: (chunk) => chunk.includes("evalsha"), ending: fault.ending });
        return Promise.resolve();
      case "slow":
        return this.#slow(fault, proxy);
    }
  }

  async #harmRedis(fault: SessionFault & { readonly kind: "restart" | "pause" }): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    if (fault.kind === "pause") {
      this.#redis.pause();
      await this.#pause(fault.forMs);
      this.#redis.resume();
      return;
    }
    this.redisKills.push(nowMs());
    await this.#redis.kill();
    await this.#pause(fault.downMs);
    await this.#redis.start();
  }

  async #kill(bootAfterMs: number): Promise<void> {
    const up = this.#instances.filter(({ isUp }) => isUp);
    // One is left, or nobody would ask anything.
    if (up.length < 2) return;
    const victim = this.#draws.pick(up);
    await victim.kill();
    await this.#pause(bootAfterMs);
    victim.boot();
  }

  async #slow(fault: SessionFault & { readonly kind: "slow" }, proxy: SessionInstance["proxy"]): Promise<void> {
    const { latencyMs, jitterMs, forMs } = fault;
    proxy.set({ latencyMs, jitterMs });
    await this.#pause(forMs);
    proxy.set({ latencyMs: 0, jitterMs: 0 });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
