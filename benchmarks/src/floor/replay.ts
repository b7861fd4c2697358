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
  /** Statements whose answer was an error, or had another number of rows than in the recording. */
  readonly errors: number;
  readonly different: number;
}

interface Lane {
  readonly client: Client;
  readonly connection: RecordedConnection;
}

/**
 * Sends recorded statements again: over as many connections, with the same session settings, each connection's in the same order and
 * each as soon as the answers are there that the program had when it sent it; so this is about as fast as any program could be that needs
 * these statements. It computes nothing.
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
    const before = this.#lanes.map(
      ({ connection }) => connection.statements.filter((each) => each.phase < phase).length,
    );
    const answers = new Answered(before);
    return Promise.all(lanes.map(({ client, statements }, lane) => sendAll(client, lane, statements, answers)));
  }
}

interface Answers {
  readonly sent: number;
  readonly errors: number;
  readonly different: number;
}

async function sendAll(
  client: Client,
  lane: number,
  statements: readonly RecordedStatement[],
  answers: Answered,
): Promise<Answers> {
  let [errors, different] = [0, 0];
  for (const { name, text, values, rows, after } of statements) {
    await answers.until(after);
    try {
      const { rowCount } = await client.query(
        name === "" ? { text, values: [...values] } : { name, text, values: [...values] },
      );
      if (rows !== null && (rowCount ?? 0) !== rows) different += 1;
    } catch {
      if (rows !== null) errors += 1;
    }
    answers.got(lane);
  }
  answers.leave();
  return { sent: statements.length, errors, different };
}
