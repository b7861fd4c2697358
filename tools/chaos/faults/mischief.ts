import { setTimeout as sleep } from "node:timers/promises";
import type { Postgres } from "@clean-arch/test-servers";
import type { History } from "../history.js";
import type { Instance } from "../instance.js";
import { Draws } from "../seeded.js";
import type { Fault, PlannedFault } from "./fault-schedule.js";
import type { Owners } from "./owners.js";

export interface MischiefOptions {
  readonly seed: number;
  readonly instances: readonly Instance[];
  readonly postgres: Postgres;
  readonly history: History;
  readonly owners: Owners;
}

/** Instances that are left in peace while another one is killed or impaired. */
const IN_PEACE = 2;
/** A fault that found nobody is tried again. */
const AGAIN_MS = 150;
/** How long a connection that fell silent may hold its instance up, ms: the store's timeouts. */
const SILENCE_MS = 7_000;
/** What PostgreSQL sends when it is done with a request. */
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Carries the schedule of faults out, and heals everything in the end. */
export class Mischief {
  readonly counts = new Map<Fault["kind"], number>();
  readonly #options: MischiefOptions;
  readonly #draws: Draws;
  readonly #underWay = new Set<Promise<void>>();
  #stopping = new AbortController();
  #schedule: Promise<void> = Promise.resolve();
  #restarting = false;

  constructor(options: MischiefOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed, "mischief");
  }

  start(schedule: readonly PlannedFault[]): void {
    this.#schedule = this.#run(schedule);
  }

  /** Replies that were lost after their requests were carried out. */
  get swallowed(): number {
    return this.#options.instances.reduce((sum, { proxy }) => sum + proxy.counts.swallowed, 0);
  }

  /** Ends every fault under way and mends what it broke: all instances run, on a network and a database that work. */
  async heal(): Promise<void> {
    this.#stopping.abort();
    await this.#schedule;
    await Promise.all(this.#underWay);
    const { instances } = this.#options;
    for (const { proxy } of instances) {
      proxy.calm();
      // Also the silent ones.
      proxy.reset();
    }
    await Promise.all(instances.map((instance) => instance.boot()));
  }

  async #run(schedule: readonly PlannedFault[]): Promise<void> {
    const startedAt = performance.now();
    for (const { at, fault } of schedule) {
      await this.#pause(at - (performance.now() - startedAt));
      if (this.#stopping.signal.aborted) return;
      const done = this.#untilDone(fault);
      this.#underWay.add(done);
      void done.finally(() => this.#underWay.delete(done));
    }
  }

  async #untilDone(fault: Fault): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const begun = this.#begin(fault);
      if (begun !== null) {
        this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
        return begun;
      }
      await this.#pause(AGAIN_MS);
    }
  }

  /** Null: not now. */
  #begin(fault: Fault): Promise<void> | null {
    switch (fault.kind) {
      case "kill":
        return this.#kill(fault);
      case "restart":
        return this.#restart(fault);
      case "terminate":
        return this.#terminate(fault);
      case "stop":
        return this.#impair(fault.kind, fault.forMs, (instance) => this.#stop(instance));
      case "stall":
        return this.#impair(fault.kind, fault.forMs, ({ child }) => {
          if (child?.connected) child.send({ stallMs: fault.forMs });
          return () => {};
        });
      case "partition":
        return this.#impair(fault.kind, fault.forMs, ({ proxy }) => {
          proxy.set({ partition: fault.partition });
          return () => proxy.set({ partition: "none" });
        });
      case "silence":
        return this.#impair(fault.kind, SILENCE_MS, ({ proxy }) => {
          proxy.silence();
          return () => {};
        });
      default:
        return this.#disturb(fault);
    }
  }

  #kill({ bootAfterMs }: Fault & { kind: "kill" }): Promise<void> | null {
    const { instances, owners } = this.#options;
    // At times one that is stopped, cut off, or just coming up.
    const up = instances.filter(({ state, child }) => (this.#draws.chance(0.15) ? child !== null : state === "ready"));
    const victim = this.#spared(up);
    if (victim === null) return null;
    const { name } = victim;
    const at = Date.now();
    return victim.kill().then(async (pid) => {
      if (pid === null) return;
      owners.lost(name, pid, "kill");
      this.#note("kill", name, at);
      await this.#pause(bootAfterMs);
      void victim.boot();
    });
  }

  #stop({ child, name }: Instance): () => void {
    child?.kill("SIGSTOP");
    if (child?.pid !== undefined) this.#options.owners.lost(name, child.pid, "stop");
    return () => void child?.kill("SIGCONT");
  }

  /** What `begin` gives ends it. */
  #impair(kind: string, forMs: number, begin: (instance: Instance) => () => void): Promise<void> | null {
    const ready = this.#options.instances.filter(({ state }) => state === "ready");
    const victim = this.#spared(ready);
    if (victim === null || !victim.impair()) return null;
    const { name } = victim;
    const at = Date.now();
    const end = begin(victim);
    return this.#pause(forMs).then(() => {
      end();
      this.#note(kind, name, at);
      victim.recover(name);
    });
  }

  #restart(fault: Fault & { kind: "restart" }): Promise<void> | null {
    if (this.#restarting) return null;
    this.#restarting = true;
    return this.#stopAndStart(fault).finally(() => {
      this.#restarting = false;
    });
  }

  async #stopAndStart({ downMs }: Fault & { kind: "restart" }): Promise<void> {
    const { postgres } = this.#options;
    const at = Date.now();
    await postgres.stop("immediate");
    await this.#pause(downMs);
    await postgres.start();
    this.#note("restart", null, at);
  }

  async #terminate({ share }: Fault & { kind: "terminate" }): Promise<void> {
    const at = Date.now();
    const sql = `select count(pg_terminate_backend(pid)) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < ${share}`;
    const terminated = Number(await this.#options.postgres.query(sql).catch(() => "0"));
    this.terminated += terminated;
    if (terminated > 0) this.#note("terminate", null, at);
  }

  terminated = 0;

  /** What an instance takes without being cut off. */
  #disturb(fault: Fault): Promise<void> | null {
    const up = this.#options.instances.filter(({ state }) => state === "ready" || state === "impaired");
    if (up.length === 0) return null;
    const { proxy, clock, child, name } = this.#draws.pick(up);
    const at = Date.now();
    if (fault.kind === "swallow") {
      // One at a time: a row of them would meet one attempt to connect after the other.
      if (proxy.armed > 0) return null;
      proxy.swallow({
        request: fault.commit ? isCommit : isStatement,
        until: (chunk) => chunk.subarray(-6, -1).equals(READY_FOR_QUERY),
        ending: fault.silent ? "silence" : "reset",
      });
    } else if (fault.kind === "reset") proxy.reset();
    else if (fault.kind === "skew") return clock.jump(fault.skewMs, child).then(() => this.#note("skew", name, at));
    else if (fault.kind === "slow") {
      const { latencyMs, jitterMs, sliceBytes, forMs } = fault;
      proxy.set({ latencyMs, jitterMs, sliceBytes });
      return this.#pause(forMs).then(() => {
        proxy.set({ latencyMs: 0, jitterMs: 0, sliceBytes: 0 });
        this.#note("slow", name, at);
      });
    }
    // The connection whose reply is lost may say nothing more from then on, which costs as much as silence does.
    if (fault.kind === "swallow" && fault.silent) this.#note("silence", name, at, at + 2 * SILENCE_MS);
    else this.#note(fault.kind, name, at);
    return Promise.resolve();
  }

  /** One of these, if enough others are left in peace. */
  #spared(candidates: readonly Instance[]): Instance | null {
    if (candidates.length === 0) return null;
    const victim = this.#draws.pick(candidates);
    const others = this.#options.instances.filter((instance) => instance !== victim && instance.state === "ready");
    return others.length >= IN_PEACE ? victim : null;
  }

  #note(fault: string, instance: string | null, at: number, until = Date.now()): void {
    this.#options.history.add({ kind: "fault", fault, at, until, instance });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** Not what opens a connection: the messages Query, Parse and Bind of PostgreSQL's protocol. */
function isStatement(request: Buffer): boolean {
  return request[0] === 0x51 || request[0] === 0x50 || request[0] === 0x42;
}

/** The end of a transaction, or a statement that is one of its own: whether it was done is what the caller needs to know. */
function isCommit(request: Buffer): boolean {
  return request.includes("commit") || request.includes("append-") || request.includes("create");
}
