import type { Client } from "pg";
import { Answered } from "./answered.js";
import type { RecordedConnection, RecordedStatement, Recording } from "./recording.js";
import { runtimePg } from "./runtime-pg.js";

export interface Replayed {
  readonly wallMs: number;
  /** Durable acts that the recording had. */
  readonly steps: number;
  readonly statements: number;
  readonly cpuMs: number;
  /** Times that a statement came too early and was sent again. */
  readonly again: number;
  /** Statements whose last answer was an error, or had another number of rows than in the recording. */
  readonly errors: number;
  readonly different: number;
}

interface Lane {
  readonly client: Client;
  readonly connection: RecordedConnection;
}

/**
 * Sends recorded statements again: over as many connections, with the same session settings, each connection's in the same order and
 * each once the one before it was answered. Connections do not wait for each other but between phases, and before a statement that came
 * too early is sent again; so this is about as fast as any program could be that needs these statements. It computes nothing.
 */
export class Replay {
  readonly #lanes: readonly Lane[];
  readonly #recording: Recording;
  /** The last measurement: what is timed. */
  readonly #timed: number;

  private constructor(recording: Recording, lanes: readonly Lane[]) {
    this.#recording = recording;
    this.#lanes = lanes;
    this.#timed = recording.steps.findLastIndex((steps) => steps > 0);
    if (this.#timed < 0) throw new Error("expected a recording with a measurement, got one without");
  }

  /** Sends everything before the last measurement, so that the tables are as they were at its beginning. */
  static async prepare(recording: Recording, databaseUrl: string): Promise<Replay> {
    const { Client } = runtimePg();
    const lanes = recording.connections.map((connection) => {
      const { options } = connection;
      const client = new Client({ connectionString: databaseUrl, options, application_name: "floor" });
      return { client, connection };
    });
    const replay = new Replay(recording, lanes);
    await Promise.all(lanes.map(({ client }) => client.connect()));
    for (let phase = 0; phase < replay.#timed; phase += 1) await replay.#send(phase);
    return replay;
  }

  async run(): Promise<Replayed> {
    const cpuBefore = process.cpuUsage();
    const begin = performance.now();
    const answers = await this.#send(this.#timed);
    const wallMs = performance.now() - begin;
    const cpu = process.cpuUsage(cpuBefore);
    const total = (value: (of: Answers) => number): number => answers.reduce((sum, one) => sum + value(one), 0);
    return {
      ...{ wallMs, steps: this.#recording.steps[this.#timed] ?? 0, cpuMs: (cpu.user + cpu.system) / 1_000 },
      statements: total(({ sent }) => sent),
      again: total(({ again }) => again),
      errors: total(({ errors }) => errors),
      different: total(({ different }) => different),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ client }) => client.end()));
  }

  #send(phase: number): Promise<Answers[]> {
    const lanes = this.#lanes.map(({ client, connection }) => ({
      client,
      statements: connection.statements.filter((statement) => statement.phase === phase),
    }));
    const answers = new Answered(lanes.length);
    return Promise.all(lanes.map(({ client, statements }) => sendAll(client, statements, answers)));
  }
}

interface Answers {
  readonly sent: number;
  readonly again: number;
  readonly errors: number;
  readonly different: number;
}

/** Times that a statement is sent before it counts as failed. */
const MAX_TRIES = 100;

/**
 * In the recorded run the program waited for an answer on one connection before it sent what builds upon it over another. Nobody waits
 * here, so such a statement may come too early and fail; it is sent again after the next answer that any connection gets. The
 * work of all statements is done, and little besides.
 */
async function sendAll(client: Client, statements: readonly RecordedStatement[], answers: Answered): Promise<Answers> {
  let [again, errors, different] = [0, 0, 0];
  for (const { name, text, values, rows } of statements) {
    const query = name === "" ? { text, values: [...values] } : { name, text, values: [...values] };
    for (let tries = 1; ; tries += 1) {
      const before = answers.count;
      try {
        const { rowCount } = await client.query(query);
        if (rows !== null && (rowCount ?? 0) !== rows) different += 1;
        break;
      } catch {
        if (rows === null) break;
        if (tries === MAX_TRIES) {
          errors += 1;
          break;
        }
        again += 1;
        await answers.after(before);
      }
    }
    answers.got();
  }
  answers.leave();
  return { sent: statements.length, again, errors, different };
}
