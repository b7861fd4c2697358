import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measured, Place, Reply, Request } from "./protocol.js";
import type { Scenario } from "./scenarios.js";

export interface ContenderProgram {
  readonly name: string;
  /** Compiled program and its arguments, the program relative to `dist/`. */
  readonly program: string;
  readonly args: readonly string[];
  /** The Node binary. */
  readonly node: string;
  /** Its options. */
  readonly nodeArgs: readonly string[];
}

const EXITS_WITHIN_MS = 10_000;

/** A contender in a process of its own, asked one thing at a time. What it prints goes to a log in its folder. */
export class ContenderProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #name: string;

  private constructor(child: ChildProcess, name: string, log: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#name = name;
    this.#log = log;
  }

  /** Rejects with what the contender printed when it cannot be opened. */
  static async open(
    { name, program, args, node, nodeArgs }: ContenderProgram,
    place: Place,
  ): Promise<ContenderProcess> {
    const log = join(place.folder, `${name}-${Date.now()}.log`);
    const output = openSync(log, "a");
    const module = fileURLToPath(new URL(program, import.meta.url));
    const child = fork(module, args, {
      execPath: node,
      execArgv: [...nodeArgs],
      stdio: ["ignore", output, output, "ipc"],
    });
    const contender = new ContenderProcess(child, name, log);
    try {
      await contender.#ask({ kind: "open", place });
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return contender;
  }

  async measure(scenario: Scenario): Promise<Measured> {
    const measured = await this.#ask({ kind: "measure", scenario });
    if (measured === null) throw new Error(`expected figures of ${this.#name}, got none`);
    return measured;
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    if (this.#hasEnded()) return;
    const exit = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), EXITS_WITHIN_MS);
    await this.#ask({ kind: "close" }).catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    await exit;
    clearTimeout(timer);
  }

  /** At once, without a word; what it is asked then fails. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #ask(request: Request): Promise<Measured | null> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#child.off("message", onReply);
        this.#child.off("exit", onExit);
        act();
      };
      const fail = (what: string): Error =>
        new Error(`${this.#name}: ${what}\n${readFileSync(this.#log, "utf8").slice(-1_000)}`.trim());
      const onReply = (reply: Reply): void =>
        settle(() => (reply.kind === "done" ? resolve(reply.measured) : reject(fail(reply.message))));
      const onExit = (code: number | null, signal: string | null): void =>
        settle(() => reject(fail(`ended with ${code ?? signal} while asked to ${request.kind}`)));
      this.#child.on("message", onReply);
      this.#child.on("exit", onExit);
      if (this.#hasEnded()) onExit(this.#child.exitCode, this.#child.signalCode);
      else this.#child.send(request);
    });
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
