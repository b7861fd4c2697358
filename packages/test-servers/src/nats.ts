import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { findBinary } from "./find-binary.js";
import { freePort } from "./free-port.js";
import { waitUntil } from "./wait-until.js";

export interface NatsOptions {
  /** Whether it keeps streams. Default true. */
  readonly jetstream?: boolean;
  /** More lines of its configuration file, such as `max_payload: 65536` or an `authorization` block. */
  readonly config?: string;
  /** Where it listens; default: any free port. */
  readonly port?: number;
}

/** A NATS server of its own: the installed binary, in a temporary folder, on a port of the loopback address only. */
export interface Nats {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  /** SIGCONT: what was asked meanwhile is answered. */
  resume(): void;
  /** SIGKILL, also when it is paused; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, after resuming; resolves when it is gone. */
  stop(): Promise<void>;
  /** Again, on the same port and folder; resolves when it has recovered its streams and answers. */
  start(): Promise<void>;
  /** Copies the streams aside, while it is stopped; one copy is kept. */
  keepStreams(): Promise<void>;
  /**
   * Puts the copy in the place of the streams, while it is stopped: a disk that lost what was written since. `messagesOnly`: consumers
   * stay as they are, those that the copy does not have among them.
   */
  putBackStreams(messagesOnly?: boolean): Promise<void>;
  /** Kills it, also when it is paused, and removes the folder. */
  remove(): Promise<void>;
}

/** One sentence that says what to install; null when a server can be started here. */
export function missingNats(): string | null {
  return findBinary("nats-server") === null ? `expected nats-server; install the package "nats-server"` : null;
}

export async function startNats({ jetstream = true, config = "", port }: NatsOptions = {}): Promise<Nats> {
  const missing = missingNats();
  if (missing !== null) throw new Error(missing);
  const server = new NatsServer(port ?? (await freePort()), jetstream, config);
  try {
    await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}

/** Folders of each stream in the server's store. */
const MESSAGES = "msgs";
const CONSUMERS = "obs";

class NatsServer implements Nats {
  readonly port: number;
  readonly folder = mkdtempSync(join(tmpdir(), "nats-"));
  readonly #jetstream: boolean;
  readonly #config: string;
  #process: ChildProcess | undefined;

  constructor(port: number, jetstream: boolean, config: string) {
    this.port = port;
    this.#jetstream = jetstream;
    this.#config = config;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process === undefined || hasEnded(this.#process) ? undefined : this.#process.pid;
  }

  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async start(): Promise<void> {
    const isNew = this.pid === undefined;
    const log = join(this.folder, "log");
    if (isNew) this.#process = this.#spawn(log);
    try {
      await waitUntil(`NATS on port ${this.port} to answer`, (signal) => this.#missing(signal));
      if (this.pid === undefined) throw new Error(`expected NATS on port ${this.port} to run, got its end`);
    } catch (error) {
      if (!isNew) throw error;
      await this.kill();
      const said = readFileSync(log, "utf8").slice(-2_000);
      throw new Error(`expected NATS to start, got:\n${said}`, { cause: error });
    }
  }

  async keepStreams(): Promise<void> {
    this.#expectStopped("keepStreams");
    await rm(this.#kept, { recursive: true, force: true });
    await mkdir(this.#streams, { recursive: true });
    await cp(this.#streams, this.#kept, { recursive: true });
  }

  async putBackStreams(messagesOnly = false): Promise<void> {
    this.#expectStopped("putBackStreams");
    const entries = await readdir(this.#streams, { recursive: true });
    const lost = messagesOnly ? entries.filter((entry) => basename(entry) === MESSAGES) : ["."];
    for (const entry of lost) await rm(join(this.#streams, entry), { recursive: true, force: true });
    const isPutBack = (path: string): boolean => !messagesOnly || !path.split(sep).includes(CONSUMERS);
    await cp(this.#kept, this.#streams, { recursive: true, filter: isPutBack });
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** No other server has it. */
  get #name(): string {
    return basename(this.folder);
  }

  /** Where the server puts what JetStream keeps. */
  get #streams(): string {
    return join(this.folder, "store", "jetstream");
  }

  get #kept(): string {
    return join(this.folder, "kept");
  }

  #spawn(log: string): ChildProcess {
    const output = openSync(log, "a");
    const settings = join(this.folder, "nats.conf");
    const store = this.#jetstream ? `jetstream { store_dir: ${JSON.stringify(join(this.folder, "store"))} }` : "";
    const lines = [`listen: "127.0.0.1:${this.port}"`, `server_name: "${this.#name}"`, store, this.#config];
    writeFileSync(settings, lines.join("\n"));
    const started = spawn("nats-server", ["--config", settings], {
      ...{ cwd: this.folder, stdio: ["ignore", output, output] },
    });
    // It has no process id then, and counts as ended.
    started.on("error", () => {});
    closeSync(output);
    return started;
  }

  async #missing(signal: AbortSignal): Promise<string | null> {
    // Nothing to wait for any more: whoever waits sees that it has ended.
    if (this.pid === undefined) return null;
    const greeting = await greetingOf(this.port, signal);
    // The port is also another server's when that one took it first.
    return greeting.includes(`"server_name":"${this.#name}"`) ? null : `another server: ${greeting.slice(0, 80)}`;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined)
      throw new Error(`expected a running NATS for ${signal}, got one that is stopped; call start() first`);
    this.#process?.kill(signal);
  }

  #expectStopped(what: string): void {
    if (this.pid !== undefined) throw new Error(`expected a stopped NATS for ${what}, got one that runs; call stop()`);
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const ending = this.#process;
    if (ending === undefined || hasEnded(ending)) return;
    const exit = once(ending, "exit");
    ending.kill(signal);
    // A paused process hears of SIGTERM only when it goes on.
    if (signal === "SIGTERM") ending.kill("SIGCONT");
    await exit;
  }
}

/** The first line that a server sends whoever connects. */
function greetingOf(port: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    const giveUp = (): void => void socket.destroy();
    signal.addEventListener("abort", giveUp);
    let text = "";
    socket.on("error", reject);
    socket.on("close", () => {
      signal.removeEventListener("abort", giveUp);
      reject(new Error("a connection that was closed"));
    });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes("\r\n")) return;
      resolve(text);
      socket.destroy();
    });
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
