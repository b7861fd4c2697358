import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./find-binary.js";
import { freePort } from "./free-port.js";
import { redisInfo } from "./redis-info.js";
import { askRedis, RedisError, replyText } from "./resp-client.js";
import { waitUntil } from "./wait-until.js";

export interface RedisOptions {
  /**
   * `none`: nothing is written, a restart begins empty. `everysec`, `always`: an append-only file that is flushed to the disk
   * each second, or before each reply. Default `none`.
   */
  readonly persistence?: RedisPersistence;
  /** More settings of redis.conf, such as `{ maxmemory: "10mb" }`; they win over those above. A password is not supported. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Where it listens; default: any free port. */
  readonly port?: number;
}

export type RedisPersistence = "none" | "everysec" | "always";

/** A Redis server of its own: the installed binary, in a temporary folder, on a port of the loopback address only. */
export interface Redis {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /**
   * Gives the reply as `redis-cli` would write it into a pipe; throws with the server's text when it refuses. Each command has
   * a connection of its own, and waits while the server is paused.
   */
  command(...command: string[]): Promise<string>;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  /** SIGCONT: what was asked meanwhile is answered. */
  resume(): void;
  /** SIGKILL, also when it is paused; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, after resuming; resolves when it is gone. A primary waits up to 10 s for replicas that are behind. */
  stop(): Promise<void>;
  /** Again, on the same port and folder; resolves when it has loaded its data and answers. */
  start(): Promise<void>;
  /** Kills it, also when it is paused, and removes the folder. */
  remove(): Promise<void>;
}

/** One sentence that says what to install; null when a server can be started here. */
export function missingRedis(): string | null {
  return findBinary("redis-server") === null ? `expected redis-server; install the package "redis-server"` : null;
}

export async function startRedis({ persistence = "none", settings = {}, port }: RedisOptions = {}): Promise<Redis> {
  const missing = missingRedis();
  if (missing !== null) throw new Error(missing);
  const server = new RedisServer(port ?? (await freePort()), { ...settingsFor(persistence), ...settings });
  try {
    await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}

function settingsFor(persistence: RedisPersistence): Record<string, string | number> {
  return {
    bind: "127.0.0.1",
    save: "",
    appendonly: persistence === "none" ? "no" : "yes",
    ...(persistence !== "none" && { appendfsync: persistence }),
    // The first copy for a replica begins at once; by default it waits 5 s for other replicas.
    "repl-diskless-sync-delay": 0,
  };
}

class RedisServer implements Redis {
  readonly port: number;
  readonly folder = mkdtempSync(join(tmpdir(), "redis-"));
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;

  constructor(port: number, settings: Readonly<Record<string, string | number>>) {
    this.port = port;
    const all = Object.entries({ ...settings, port, dir: this.folder });
    this.#arguments = all.flatMap(([name, value]) => [`--${name}`, `${value}`]);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process === undefined || hasEnded(this.#process) ? undefined : this.#process.pid;
  }

  async command(...command: string[]): Promise<string> {
    return replyText(await askRedis(this.port, command));
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
    const log = join(this.folder, "log");
    const isNew = this.pid === undefined;
    if (isNew) this.#process = this.#spawn(log);
    const { pid } = this;
    try {
      await waitUntil(`Redis on port ${this.port} to answer`, (signal) => this.#missing(pid, signal));
      if (this.pid === undefined) throw new Error(`expected Redis on port ${this.port} to run, got its end`);
    } catch (error) {
      if (!isNew) throw error;
      await this.kill();
      const said = readFileSync(log, "utf8").slice(-2_000);
      throw new Error(`expected Redis to start, got:\n${said}`, { cause: error });
    }
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(log: string): ChildProcess {
    const output = openSync(log, "a");
    const started = spawn("redis-server", this.#arguments, {
      ...{ cwd: this.folder, stdio: ["ignore", output, output] },
    });
    // It has no process id then, and counts as ended.
    started.on("error", () => {});
    closeSync(output);
    return started;
  }

  async #missing(pid: number | undefined, signal: AbortSignal): Promise<string | null> {
    // Nothing to wait for any more: whoever waits sees that it has ended.
    if (this.pid === undefined) return null;
    try {
      const info = await redisInfo(this.port, ["INFO", "server", "persistence"], signal);
      // The port is also another server's when that one took it first.
      if (info.get("process_id") !== `${pid}`) return `another process (${info.get("process_id")})`;
      return info.get("loading") === "0" ? null : "one that still loads its data";
    } catch (error) {
      // It answers, and will not answer otherwise later: with a password, for instance.
      if (error instanceof RedisError) await this.kill();
      throw error;
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined)
      throw new Error(`expected a running Redis for ${signal}, got one that is stopped; call start() first`);
    this.#process?.kill(signal);
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

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
