import type { Client } from "pg";
import type { Recording, RecordedStatement } from "./recording.js";
import { runtimePg } from "./runtime-pg.js";

export interface Replayed {
  /** Of the last measurement in the recording. */
  readonly wallMs: number;
  readonly steps: number;
  readonly statements: number;
  readonly cpuMs: number;
  /** Statements of that measurement whose answer was an error, or had another number of rows than in the recording. */
  readonly errors: number;
  readonly different: number;
}

/**
 * Sends the statements again: over as many connections, with the same session settings, each connection's in the same order and each
 * once the one before it was answered. Connections do not wait for each other, except between phases; so this is at least as fast as
 * any program could be that needs these statements, and it computes nothing.
 */
export async function replay(recording: Recording, databaseUrl: string): Promise<Replayed> {
  const { Client } = runtimePg();
  const lanes = recording.connections.map(({ options, statements }) => ({
    client: new Client({ connectionString: databaseUrl, options, application_name: "floor" }),
    statements,
  }));
  for (const { client } of lanes) {
    client.on("error", () => undefined);
    await client.connect();
  }
  try {
    let last: Replayed | null = null;
    for (const [phase, steps] of recording.steps.entries()) {
      const ofPhase = lanes.map(({ client, statements }) => ({ client, statements: select(statements, phase) }));
      const cpuBefore = process.cpuUsage();
      const begin = performance.now();
      const answers = await Promise.all(ofPhase.map(({ client, statements }) => sendAll(client, statements)));
      const wallMs = performance.now() - begin;
      const cpu = process.cpuUsage(cpuBefore);
      if (steps === 0) continue;
      last = {
        ...{ wallMs, steps, cpuMs: (cpu.user + cpu.system) / 1_000 },
        statements: sum(ofPhase.map(({ statements }) => statements.length)),
        errors: sum(answers.map(({ errors }) => errors)),
        different: sum(answers.map(({ different }) => different)),
      };
    }
    if (last === null) throw new Error("expected a recording with a measurement, got one without");
    return last;
  } finally {
    await Promise.all(lanes.map(({ client }) => client.end()));
  }
}

function select(statements: readonly RecordedStatement[], phase: number): RecordedStatement[] {
  return statements.filter((statement) => statement.phase === phase);
}

async function sendAll(client: Client, statements: readonly RecordedStatement[]): Promise<{ errors: number; different: number }> {
  let errors = 0;
  let different = 0;
  for (const { name, text, values, rows } of statements) {
    try {
      const query = name === "" ? { text, values: [...values] } : { name, text, values: [...values] };
      const { rowCount } = await client.query(query);
      if (rows !== null && (rowCount ?? 0) !== rows) different += 1;
    } catch {
      if (rows !== null) errors += 1;
    }
  }
  return { errors, different };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
