import type { Broker, PublishResult, Subscriber, Subscription } from "../broker/broker.js";
import { type EventMessage, isOfPattern } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import type { Clock, Random } from "../ports.js";

interface Stored {
  readonly uid: number;
  readonly message: EventMessage;
}

interface Given {
  status: "open" | "busy" | "done";
  attempt: number;
  dueAt: number;
}

interface Member {
  readonly subscription: Subscription;
  readonly abort: AbortController;
  readonly busy: Map<number, string>;
  readonly pump: () => void;
}

/** A broker's server in memory, which fails as it is told. Processes connect to it. */
export class FaultyBrokerServer {
  readonly clock: Clock;
  readonly random: Random;
  stream: Stored[] = [];
  /** Published ids that it recognizes. */
  readonly remembered = new Map<string, number>();
  readonly groups = new Map<string, Map<number, Given>>();
  readonly members = new Set<Member>();
  isDown = false;
  /** Chance that a call's reply is lost: a part of it was done, perhaps all. */
  lostReplies = 0;
  /** Chance that of what may be given out another one comes first. */
  disorder = 0;
  /** Subjects that it never takes. */
  readonly refused = new Set<string>();
  readonly publishedAt: number[] = [];
  #lastUid = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  get ids(): string[] {
    return this.stream.map(({ message }) => message.id);
  }

  store(message: EventMessage): number {
    const known = this.remembered.get(message.id);
    if (known !== undefined) return known;
    this.#lastUid += 1;
    this.stream.push({ uid: this.#lastUid, message });
    this.remembered.set(message.id, this.#lastUid);
    return this.#lastUid;
  }

  /** As after a crash of a machine: what was stored last is gone, and nobody was told. */
  loseTail(count: number): string[] {
    const lost = this.stream.splice(Math.max(0, this.stream.length - count));
    for (const { message } of lost) this.remembered.delete(message.id);
    return lost.map(({ message }) => message.id);
  }

  /** Gives out again what was handled. */
  redeliver(): void {
    for (const given of this.groups.values())
      for (const one of given.values()) if (one.status === "done") one.status = "open";
    this.pump();
  }

  pump(): void {
    for (const member of this.members) member.pump();
  }

  up(): void {
    this.isDown = false;
    this.pump();
  }

  connect(): FaultyConnection {
    return new FaultyConnection(this);
  }
}

class FaultyConnection implements Broker {
  readonly name = "faulty";
  readonly #server: FaultyBrokerServer;
  readonly #members = new Set<Member>();
  /** The process is dead: no call ever returns, nothing is given out to it. */
  isDead = false;

  constructor(server: FaultyBrokerServer) {
    this.#server = server;
  }

  open = () => this.#call(() => undefined);
  ping = () => this.#call(() => undefined);

  async close(): Promise<void> {
    for (const member of this.#members) this.#leave(member);
  }

  publish(messages: readonly EventMessage[]): Promise<PublishResult[]> {
    return this.#call((limit) => {
      this.#server.publishedAt.push(this.#server.clock.monotonic());
      let newest = 0;
      const results = messages.slice(0, Math.ceil(messages.length * limit)).map((message): PublishResult => {
        if (this.#server.refused.has(message.subject)) return { kind: "rejected", reason: "no such subject" };
        newest = Math.max(newest, this.#server.store(message));
        return { kind: "stored", receipt: String(newest) };
      });
      this.#server.pump();
      return results;
    });
  }

  holds(receipt: string): Promise<boolean> {
    return this.#call(() => this.#server.stream.some(({ uid }) => uid === Number(receipt)));
  }

  async subscribe(subscription: Subscription): Promise<Subscriber> {
    await this.#call(() => undefined);
    const given = this.#server.groups.get(subscription.group) ?? new Map<number, Given>();
    this.#server.groups.set(subscription.group, given);
    const member: Member = {
      ...{ subscription, abort: new AbortController(), busy: new Map() },
      pump: () => this.#pump(member, given),
    };
    this.#members.add(member);
    this.#server.members.add(member);
    member.pump();
    return {
      stop: async () => this.#leave(member),
      lag: async () => this.#wanted(subscription).filter(({ uid }) => given.get(uid)?.status !== "done").length,
    };
  }

  /** What it had under way goes to others. */
  die(): void {
    this.isDead = true;
    for (const member of this.#members) this.#leave(member);
  }

  #leave(member: Member): void {
    this.#server.members.delete(member);
    this.#members.delete(member);
    member.abort.abort();
    const given = this.#server.groups.get(member.subscription.group);
    for (const uid of member.busy.keys()) {
      const one = given?.get(uid);
      if (one?.status === "busy") one.status = "open";
    }
    this.#server.pump();
  }

  #wanted({ subjects }: Subscription): Stored[] {
    return this.#server.stream.filter(({ message }) =>
      subjects.some((pattern) => isOfPattern(message.subject, pattern)),
    );
  }

  #pump(member: Member, given: Map<number, Given>): void {
    const { clock, random, isDown, disorder } = this.#server;
    if (isDown || this.isDead || member.abort.signal.aborted) return;
    const ready = this.#wanted(member.subscription).filter(({ uid }) => {
      const one = given.get(uid) ?? { status: "open" as const, attempt: 0, dueAt: 0 };
      given.set(uid, one);
      return one.status === "open" && one.dueAt <= clock.monotonic();
    });
    if (disorder > random.float()) ready.reverse();
    for (const { uid, message } of ready) {
      const one = given.get(uid);
      if (one === undefined || member.busy.size >= (member.subscription.concurrency ?? 32)) return;
      if ([...member.busy.values()].includes(message.key)) continue;
      void this.#give(member, one, uid, message);
    }
  }

  async #give(member: Member, one: Given, uid: number, message: EventMessage): Promise<void> {
    const { clock } = this.#server;
    one.status = "busy";
    one.attempt += 1;
    const { attempt } = one;
    member.busy.set(uid, message.key);
    const handled = await member.subscription
      .handle({ message, attempt, signal: AbortSignal.any([member.abort.signal]) })
      .then(
        () => true,
        () => false,
      );
    member.busy.delete(uid);
    if (this.isDead || member.abort.signal.aborted) return;
    one.status = handled ? "done" : "open";
    if (!handled) {
      const delayMs = member.subscription.retryAfterMs?.(attempt) ?? 100;
      one.dueAt = clock.monotonic() + delayMs;
      clock.after(delayMs, member.pump);
    }
    member.pump();
  }

  /** `limit`: the share of the call that is done before its reply is lost. */
  async #call<Value>(call: (limit: number) => Value): Promise<Value> {
    if (this.isDead) return new Promise(() => {});
    const { random, lostReplies } = this.#server;
    // The way there takes a turn.
    await Promise.resolve();
    if (this.#server.isDown) throw unavailable("the server is down");
    if (lostReplies > random.float()) {
      call(random.float());
      throw unavailable("the reply was lost");
    }
    return call(1);
  }
}

function unavailable(reason: string): RuntimeError {
  return new RuntimeError("broker-unavailable", `expected an answer, got none: ${reason}`);
}
