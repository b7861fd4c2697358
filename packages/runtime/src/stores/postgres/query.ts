import type { RunStatus } from "../../engine/records.js";
import type { DefinitionRef, RunPage, RunQuery, StrandedRuns } from "../../store/run-store.js";
import { isUuid, texts } from "./binary-arrays.js";
import type { Connections } from "./connections.js";
import { selectRuns } from "./run-rows.js";

export async function listRuns(connections: Connections, query: RunQuery): Promise<RunPage> {
  const {
    tenant,
    status,
    definition,
    since,
    until,
    sessionId,
    businessKey,
    attributes,
    parentId,
    queue,
    limit,
    cursor,
  } = query;
  if (cursor !== undefined && !isUuid(cursor)) return { items: [], nextCursor: null };
  const conditions: readonly [string, unknown][] = [
    ["tenant = ?", tenant],
    ["status = any (?::text[])", status],
    // Lets an index serve that holds neither ended runs nor those that nobody owns.
    ["(owner is not null or ?)", status?.every((each) => each === "running") ? false : undefined],
    ["definition = ?", definition],
    ["created_at >= ?", since],
    ["created_at < ?", until],
    ["session_id = ?", sessionId],
    ["business_key = ?", businessKey],
    ["parent_id = ?", parentId],
    ["queue = ?", queue],
    // The index holds no others.
    ["(? or queue <> 'default')", queue === undefined || queue === "default" ? undefined : false],
    [
      "attributes @> ?::jsonb",
      attributes && Object.keys(attributes).length > 0 ? JSON.stringify(attributes) : undefined,
    ],
    ["id < ?::uuid", cursor],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const where = given.map(([sql], index) => sql.replace("?", `$${index + 1}`)).join(" and ");
  const values = [...given.map(([, value]) => value), limit + 1];
  const rest = `${where === "" ? "" : `where ${where}`} order by id desc limit $${values.length}`;
  const rows = await selectRuns(connections.reader, rest, values);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export async function countRuns(connections: Connections): Promise<Partial<Record<RunStatus, number>>> {
  const rows = await connections.reader.query(
    `select status, count(*)::int4 as runs from :"schema".runs group by status`,
  );
  return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
}

export async function stranded(connections: Connections, known: readonly DefinitionRef[]): Promise<StrandedRuns[]> {
  const values = [texts(known.map(({ name }) => name)), texts(known.map(({ version }) => version))];
  return (await connections.reader.run("stranded", values)) as unknown as StrandedRuns[];
}

export async function prune(connections: Connections, endedBefore: number, limit: number): Promise<number> {
  return (await connections.writer.run("prune", [endedBefore, limit])).length;
}
