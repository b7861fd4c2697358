import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Question, Reply } from "./serve.js";

export interface ContenderProgram {
  readonly name: string;
  /** Compiled program and its arguments, the program relative to `dist/`. */
  readonly program: string;
  readonly args: readonly string[];
  /** The Node binary. */
  readonly node: string;
  /** Its options. */
  readonly nodeArgs: readonly string[];
  /** Beside the bench's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const EXITS_WITHIN_MS = 10_000;

/** A contender in a process of its own, asked one thing at a time. What it prints goes to a log in its folder. */
export class ContenderProcess<Q extends Question, Answer> {
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

  /** Starts it and asks it the first question. Rejects with what it printed when it cannot answer that one. */
  static async open<Q extends Question, Answer>(
    { name, program, args, node, nodeArgs, env }: ContenderProgram,
    folder: string,
    first: Q,
  ): Promise<{ readonly contender: ContenderProcess<Q, Answer>; readonly answer: Answer }> {
    const log = join(folder, `${name}-${Date.now()}.log`);
    const output = openSync(log, "a");
    const module = fileURLToPath(new URL(program, import.meta.url));
    const child = fork(module, args, {
      execPath: node,
      execArgv: [...nodeArgs],
      env: { ...process.env, ...env },
      stdio: ["ignore", output, output, "ipc"],
    });
    const contender = new ContenderProcess<Q, Answer>(child, name, log);
    try {
      return { contender, answer: await contender.ask(first) };
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    if (this.#hasEnded()) return;
    const exit = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), EXITS_WITHIN_MS);
    await this.ask({ kind: "close" }).catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    await exit;
    clearTimeout(timer);
  }

  /** At once, without a word; what it is asked then fails. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  ask(question: Q | { readonly kind: "close" }): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#child.off("message", onReply);
        this.#child.off("exit", onExit);
        act();
      };
      const fail = (what: string): Error =>
        new Error(`${this.#name}: ${what}\n${readFileSync(this.#log, "utf8").slice(-1_000)}`.trim());
      const onReply = (reply: Reply<Answer>): void =>
        settle(() => (reply.kind === "done" ? resolve(reply.answer) : reject(fail(reply.message))));
      const onExit = (code: number | null, signal: string | null): void =>
        settle(() => reject(fail(`ended with ${code ?? signal} while asked to ${question.kind}`)));
      this.#child.on("message", onReply);
      this.#child.on("exit", onExit);
      if (this.#hasEnded()) onExit(this.#child.exitCode, this.#child.signalCode);
      else this.#child.send(question);
    });
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
