import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FaultyProxy, freePort } from "@clean-arch/test-servers";
import type { SkewedClock } from "./faults/skewed-clock.js";

export const OPERATOR_TOKEN = "operator-token-of-the-chaos";

export interface InstanceOptions {
  /** Where the service lies, built. */
  readonly folder: string;
  readonly slot: number;
  /** Between this instance and the database. */
  readonly proxy: FaultyProxy;
  /** Where the database is, by way of the proxy, and what else it is told. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: SkewedClock;
  /** Of the participants, for a process by its name. */
  readonly serviceUrls: (life: string) => Readonly<Record<string, string>>;
  /** Where what it prints is kept, one file for each life; null: nowhere. */
  readonly logs: string | null;
  /** It ended and nobody had killed it. */
  readonly onDied: (life: string, output: string) => void;
}

/** `booting` until it says that it is ready; `impaired` while something is done to it that it cannot help. */
export type InstanceState = "down" | "booting" | "ready" | "impaired";

const preload = fileURLToPath(new URL("preload.mjs", import.meta.url));
const READY_EVERY_MS = 150;
/** Of its output, what is kept for the case that it dies, characters. */
const OUTPUT = 4_000;

/** One place where a process of the service runs, is killed, and runs again; each life has a name of its own. */
export class Instance {
  readonly #options: InstanceOptions;
  #child: ChildProcess | null = null;
  #life = 0;
  #url = "";
  #state: InstanceState = "down";
  #output = "";
  #closing = false;

  constructor(options: InstanceOptions) {
    this.#options = options;
  }

  get proxy(): FaultyProxy {
    return this.#options.proxy;
  }

  get clock(): SkewedClock {
    return this.#options.clock;
  }

  get child(): ChildProcess | null {
    return this.#child;
  }

  /** `<slot>.<life>` of the present or last process. */
  get name(): string {
    return `${this.#options.slot}.${this.#life}`;
  }

  get url(): string {
    return this.#url;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** False when it is not one that could be impaired now. */
  impair(): boolean {
    if (this.#state !== "ready") return false;
    this.#state = "impaired";
    return true;
  }

  /** What was done to the life of that name is over. */
  recover(name: string): void {
    if (this.name !== name || this.#state !== "impaired") return;
    this.#state = "booting";
    void this.#untilReady(name);
  }

  async boot(): Promise<void> {
    if (this.#state !== "down" || this.#closing) return;
    this.#state = "booting";
    this.#life += 1;
    this.#output = "";
    const name = this.name;
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    if (this.#closing) return;
    const { folder, environment, clock, serviceUrls } = this.#options;
    // What the test runner says about itself is not for the program under test.
    const { NODE_ENV: _, VITEST: __, ...inherited } = process.env;
    const child = spawn(process.execPath, ["--import", preload, "dist/main.js"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: {
        ...inherited,
        ...{ HTTP_PORT: String(port), HTTP_HOST: "127.0.0.1", OPERATOR_TOKEN, ...environment },
        ...{
          OBSERVABILITY_LOG_LEVEL: this.#options.logs === null ? "error" : "info",
          ...clock.environment,
          ...serviceUrls(name),
        },
      },
    });
    this.#child = child;
    const { logs } = this.#options;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        this.#output = (this.#output + String(chunk)).slice(-OUTPUT);
        if (logs !== null) appendFileSync(join(logs, `${name}.log`), chunk);
      });
    child.on("exit", () => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#state = "down";
      if (!this.#closing) this.#options.onDied(name, this.#output);
    });
    await this.#untilReady(name);
  }

  /** SIGKILL; resolves when the process is gone, with its id. */
  async kill(): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.pid === undefined) return null;
    this.#child = null;
    this.#state = "down";
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await this.clock.clearAway(child.pid);
    return child.pid;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.kill();
    await this.proxy.close();
  }

  async #untilReady(name: string): Promise<void> {
    while (this.name === name && this.#state === "booting") {
      const ready = await fetch(`${this.#url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
        (response) => response.ok,
        () => false,
      );
      if (ready && this.name === name && this.#state === "booting") this.#state = "ready";
      else await new Promise((resolve) => setTimeout(resolve, READY_EVERY_MS));
    }
  }
}
