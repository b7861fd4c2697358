import type { Client } from "pg";
import { type RecordedStatement, writeRecording } from "./recording.js";
import { runtimePg } from "./runtime-pg.js";

export interface Recorder {
  /** A measurement begins. */
  begin(): void;
  /** It ended, having done so many durable acts. */
  end(steps: number): void;
  write(file: string): void;
}

interface Kept {
  readonly options: string;
  readonly statements: RecordedStatement[];
  answered: number;
}

type Sent = Pick<RecordedStatement, "name" | "text" | "values">;

/** From now on keeps what every client of `pg` in this process sends, by wrapping `Client.query`. */
export function recordStatements(): Recorder {
  const { Client } = runtimePg();
  const connections = new Map<object, Kept>();
  const steps = [0];
  const send = Client.prototype.query;

  const keep = (client: object, statement: Sent): ((rows: number | null) => void) => {
    const connection = connections.get(client) ?? { options: optionsOf(client), statements: [], answered: 0 };
    connections.set(client, connection);
    const index = connection.statements.length;
    const after = Array.from(connections.values(), ({ answered }) => answered);
    const kept = { ...statement, phase: steps.length - 1, after, rows: null };
    connection.statements.push(kept);
    return (rows) => {
      connection.answered += 1;
      connection.statements[index] = { ...kept, rows };
    };
  };
  const query = function (this: Client, ...args: unknown[]): unknown {
    const answered = keep(this, statementOf(args));
    const sent: unknown = Reflect.apply(send, this, args);
    // Before whoever sent it hears of it.
    if (sent instanceof Promise)
      sent.then(
        (result) => answered(rowsOf(result)),
        () => answered(null),
      );
    return sent;
  };
  Object.defineProperty(Client.prototype, "query", { value: query });

  return {
    begin: () => void steps.push(0),
    end: (done) => {
      steps[steps.length - 1] = done;
      steps.push(0);
    },
    write: (file) => {
      const kept = Array.from(connections.values(), ({ options, statements }) => ({ options, statements }));
      writeRecording(file, { connections: kept, steps });
    },
  };
}

function statementOf([first, second]: readonly unknown[]): Sent {
  const values = Array.isArray(second) ? second : [];
  if (typeof first === "string") return { name: "", text: first, values };
  if (typeof first === "object" && first !== null && "text" in first && typeof first.text === "string") {
    const name = "name" in first && typeof first.name === "string" ? first.name : "";
    return { name, text: first.text, values: "values" in first && Array.isArray(first.values) ? first.values : values };
  }
  throw new Error("expected a statement's text or an object with it, got another kind of query; teach the recorder");
}

function optionsOf(client: object): string {
  const parameters: unknown = Reflect.get(client, "connectionParameters");
  if (typeof parameters !== "object" || parameters === null || !("options" in parameters)) return "";
  return typeof parameters.options === "string" ? parameters.options : "";
}

function rowsOf(result: unknown): number {
  if (typeof result !== "object" || result === null || !("rowCount" in result)) return 0;
  return typeof result.rowCount === "number" ? result.rowCount : 0;
}
