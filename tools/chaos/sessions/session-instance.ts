import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FaultyProxy } from "@clean-arch/test-servers";

export interface SessionInstanceOptions {
  readonly slot: number;
  /** Between this instance and Redis. */
  readonly proxy: FaultyProxy;
  readonly settings: Readonly<Record<string, number>>;
  readonly onExpired: (session: string, expiredAt: number) => void;
  /** It ended and nobody had killed it. */
  readonly onDied: (name: string, output: string) => void;
}

export type Answer =
  | { readonly kind: "answered"; readonly result: unknown }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
  /** The instance died, or said nothing for too long. */
  | { readonly kind: "silent" };

type Message =
  | { readonly ready: true }
  | { readonly expired: { readonly number: number; readonly session: string; readonly expiredAt: number } }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };

const PROGRAM = fileURLToPath(new URL("instance-process.mjs", import.meta.url));
/** As a client's deadline. */
const ANSWER_WITHIN_MS = 4_000;

/** One place where an instance runs, is killed, and runs again; each life has a name of its own. */
export class SessionInstance {
  readonly #options: SessionInstanceOptions;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #child: ChildProcess | null = null;
  #isReady = false;
  #life = 0;
  #asked = 0;
  #closing = false;

  constructor(options: SessionInstanceOptions) {
    this.#options = options;
  }

  get proxy(): FaultyProxy {
    return this.#options.proxy;
  }

  /** `<slot>.<life>` of the present or last process. */
  get name(): string {
    return `${this.#options.slot}.${this.#life}`;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isUp(): boolean {
    return this.#child !== null;
  }

  boot(): void {
    if (this.#child !== null || this.#closing) return;
    this.#life += 1;
    const { name } = this;
    const { proxy, settings } = this.#options;
    const url = `redis://127.0.0.1:${proxy.port}`;
    // What the test runner says about itself is not for the program under test.
    const { NODE_ENV: _, VITEST: __, ...inherited } = process.env;
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...inherited, SESSION_CHAOS: JSON.stringify({ ...settings, url, name }) },
    });
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        output = (output + String(chunk)).slice(-4_000);
      });
    child.on("message", (message: Message) => this.#take(child, message));
    child.on("error", () => {});
    child.on("exit", () => {
      this.#silence(child);
      if (!this.#closing) this.#options.onDied(name, output);
    });
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.removeAllListeners("exit");
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
    child.kill("SIGKILL");
    await gone;
    this.#silence(child);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.kill();
    await this.proxy.close();
  }

  ask(call: string, ...args: readonly (string | number | object)[]): Promise<Answer> {
    const child = this.#child;
    if (child === null || !child.connected) return Promise.resolve({ kind: "silent" });
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      const finish = (answer: Answer): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => finish({ kind: "silent" }), ANSWER_WITHIN_MS);
      this.#waiting.set(id, finish);
      child.send({ id, call, args }, (error) => error && finish({ kind: "silent" }));
    });
  }

  #take(child: ChildProcess, message: Message): void {
    if ("ready" in message) {
      if (this.#child === child) this.#isReady = true;
    } else if ("expired" in message) {
      const { number, session, expiredAt } = message.expired;
      this.#options.onExpired(session, expiredAt);
      if (child.connected) child.send({ taken: number }, () => {});
    } else if ("code" in message) {
      this.#waiting.get(message.id)?.({ kind: "failed", code: message.code, message: message.message });
    } else this.#waiting.get(message.id)?.({ kind: "answered", result: message.result });
  }

  #silence(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#isReady = false;
    for (const finish of [...this.#waiting.values()]) finish({ kind: "silent" });
  }
}
