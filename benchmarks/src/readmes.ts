import { readFileSync, writeFileSync } from "node:fs";
import { batchTables } from "./batch/readme-table.js";
import type { BatchResult } from "./batch/result.js";
import { eventTables } from "./events/readme-table.js";
import type { EventResult } from "./events/result.js";
import { withTables } from "./readme-table.js";
import { savedResult } from "./results-file.js";
import { sagaTables } from "./sagas/readme-table.js";
import type { SagaResult } from "./sagas/result.js";
import { sessionTables } from "./sessions/readme-table.js";
import type { SessionResult } from "./sessions/result.js";

const readmes = ["README.md", "README.zh-CN.md"].map((name) => new URL(`../../${name}`, import.meta.url));

/** The tables of the suites whose results are committed. */
export function committedTables(): string[] {
  const sagas = savedResult<SagaResult>("sagas");
  const sessions = savedResult<SessionResult>("sessions");
  const events = savedResult<EventResult>("events");
  const batches = savedResult<BatchResult>("batch");
  return [
    ...(sagas === null ? [] : [sagaTables(sagas)]),
    ...(sessions === null ? [] : [sessionTables(sessions)]),
    ...(events === null ? [] : [eventTables(events)]),
    ...(batches === null ? [] : [batchTables(batches)]),
  ];
}

/** Writes the tables of the READMEs anew. */
export function writeReadmeTables(): void {
  for (const readme of readmes) writeFileSync(readme, withTables(readFileSync(readme, "utf8"), committedTables()));
}
