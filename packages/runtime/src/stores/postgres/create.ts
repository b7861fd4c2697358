import { RuntimeError } from "../../errors.js";
import { type CreateResult, type CreateRun, mayRestart, type RunRow } from "../../store/run-store.js";
import { bools, int8s, texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { createDebounced } from "./debounce.js";
import { sqlState } from "./driver-error.js";
import { eventColumns } from "./event-rows.js";
import { inPieces } from "./in-pieces.js";
import { notify } from "./listener.js";
import { delayOf, eventsOf, isLimited, type Prepared, prepare, sizeOf } from "./prepared-create.js";
import { selectJournal, selectRuns } from "./run-rows.js";

/**
 * Creates a batch as one statement, all or nothing; when an id or a key is taken, one by one. Whoever loses the race for a key
 * looks for its holder in a new statement, and again when that is gone: a single statement would see neither.
 */
export async function create(connections: Connections, creates: readonly CreateRun[]): Promise<CreateResult[]> {
  const results = new Array<CreateResult>(creates.length);
  const places: number[] = [];
  const batch: Prepared[] = [];
  for (const [index, element] of creates.entries()) {
    const prepared = prepare(element);
    if ("kind" in prepared) results[index] = prepared;
    else {
      places.push(index);
      batch.push(prepared);
    }
  }
  const made: CreateResult[] = [];
  for (const piece of inPieces(batch, sizeOf)) made.push(...(await createPiece(connections, piece)));
  for (const [n, index] of places.entries()) results[index] = made[n] ?? lost();
  if (made.some((result) => result.kind === "created" && result.run.owner === null && result.run.startAt === null))
    await notify(connections.writer, ["due"]);
  return results;
}

/**
 * One run, within a transaction, with the hint for workers. An id or a key that somebody takes at the same moment, and what a statement refuses,
 * fails the transaction: see `isOfElement`.
 */
export async function createWithin(on: Queryable, create: CreateRun): Promise<CreateResult> {
  const prepared = prepare(create);
  if ("kind" in prepared) return prepared;
  const known = await knownRun(on, create);
  if (known !== undefined)
    return known.id === create.id ? sameRun(on, known, create) : { kind: "existing", run: known };
  const [made] = await insert(on, [prepared]);
  await notify(on, ["due"]);
  return made ?? lost();
}

async function createPiece(connections: Connections, batch: readonly Prepared[]): Promise<CreateResult[]> {
  if (batch.every(({ create }) => create.debounce === undefined)) return createPrepared(connections, batch);
  const results: CreateResult[] = [];
  // One by one: what is started with one key goes into one run, in the order given.
  for (const prepared of batch) {
    const { debounce } = prepared.create;
    const made = debounce
      ? await createDebounced(connections, prepared, debounce, (on) => insertOne(on, prepared))
      : (await createPrepared(connections, [prepared]))[0];
    results.push(made ?? lost());
  }
  return results;
}

async function createPrepared(connections: Connections, batch: readonly Prepared[]): Promise<CreateResult[]> {
  const results = new Map<Prepared, CreateResult>();
  // Of several with one key the first one goes first, and the others find it.
  for (let open = [...batch]; open.length > 0; open = open.filter((prepared) => !results.has(prepared)))
    await createDistinct(connections, firstOfKeys(open), results);
  return batch.map((prepared) => results.get(prepared) ?? lost());
}

async function createDistinct(
  connections: Connections,
  batch: readonly Prepared[],
  results: Map<Prepared, CreateResult>,
): Promise<void> {
  let open = batch;
  for (let tries = 0; tries < MAX_BATCHES && open.length > 0 && oneWorker(open); tries++) {
    const made = await insertAll(connections.writer, open);
    if (made !== null) {
      for (const [index, prepared] of open.entries()) results.set(prepared, made[index] ?? lost());
      return;
    }
    // A batch that comes again, or whose keys clients send again, must not cost one commit for each element: under load it
    // would never be done before it is sent once more.
    for (const [prepared, result] of await settle(connections.writer, open)) results.set(prepared, result);
    const left = open.filter((prepared) => !results.has(prepared));
    if (left.length === open.length) break;
    open = left;
  }
  for (const prepared of open) results.set(prepared, await createOne(connections, prepared));
}

function firstOfKeys(batch: readonly Prepared[]): Prepared[] {
  const seen = new Set<string>();
  return batch.filter(({ create }) => {
    if (create.key === null) return true;
    const key = keyOf(create);
    return !seen.has(key) && seen.add(key);
  });
}

/** Times that a batch is tried without those found to be taken, before the rest is created one by one. */
const MAX_BATCHES = 3;

/** Null: nothing was written, because one of them cannot be. */
async function insertAll(on: Queryable, batch: readonly Prepared[]): Promise<CreateResult[] | null> {
  try {
    return await insert(on, batch);
  } catch (error) {
    if (!isOfElement(sqlState(error))) throw error;
    return null;
  }
}

/** Those that are there already: created by an earlier sending, or kept out by the run that has their key. */
async function settle(on: Queryable, batch: readonly Prepared[]): Promise<[Prepared, CreateResult][]> {
  const ids = uuids(batch.map(({ create }) => create.id));
  const same = new Map((await selectRuns(on, "where id = any ($1::uuid[])", [ids])).map((run) => [run.id, run]));
  const keyed = batch.filter(({ create }) => create.key !== null && !same.has(create.id));
  const holders = new Map((await selectRuns(on, HOLDERS, keyColumns(keyed))).map((run) => [keyOf(run), run]));
  const settled: [Prepared, CreateResult][] = [];
  for (const prepared of batch) {
    const { create } = prepared;
    const [own, holder] = [same.get(create.id), holders.get(keyOf(create))];
    if (own !== undefined) settled.push([prepared, await sameRun(on, own, create)]);
    else if (create.key !== null && holder !== undefined && !isRestart(create, holder))
      settled.push([prepared, { kind: "existing", run: holder }]);
  }
  return settled;
}

function keyColumns(batch: readonly Prepared[]): Buffer[] {
  return [
    texts(batch.map(({ create }) => create.tenant)),
    texts(batch.map(({ create }) => create.definition)),
    texts(batch.map(({ create }) => create.key)),
  ];
}

/** The element cannot be written; all others can. */
export function isOfElement(code: string | null): boolean {
  return code !== null && (code === "23505" || code.startsWith("22") || code.startsWith("54"));
}

/** The statement takes one worker's claims. */
function oneWorker(batch: readonly Prepared[]): boolean {
  return new Set(batch.flatMap(({ create }) => create.claim?.worker ?? [])).size <= 1;
}

function keyOf({ tenant, definition, key }: Pick<CreateRun, "tenant" | "definition" | "key">): string {
  return JSON.stringify([tenant, definition, key]);
}

/** Between the look-up and the insert a holder of the key may come or go. */
const MAX_TRIES = 20;

async function createOne(connections: Connections, prepared: Prepared): Promise<CreateResult> {
  const { create } = prepared;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      const [made] = await insert(connections.writer, [prepared]);
      if (made !== undefined) return made;
    } catch (error) {
      if (!isOfElement(sqlState(error))) throw error;
      if (sqlState(error) !== "23505") return { kind: "rejected", reason: (error as Error).message };
    }
    const run = await knownRun(connections.writer, create);
    if (run === undefined) continue;
    if (run.id === create.id) return sameRun(connections.writer, run, create);
    if (!isRestart(create, run)) return { kind: "existing", run };
    const restarted = await restart(connections, prepared, run);
    if (restarted !== null) return restarted;
  }
  throw new RuntimeError(
    "store-unavailable",
    `expected the key ${JSON.stringify(create.key)} to come to rest, it did not`,
  );
}

function isRestart(create: CreateRun, run: RunRow): boolean {
  return create.restart === true && mayRestart(run.status);
}

/** Null when somebody else took the key over first. */
async function restart(connections: Connections, prepared: Prepared, from: RunRow): Promise<CreateResult | null> {
  const create = { ...prepared.create, restartedFrom: from.id };
  return connections.transaction(async (on) => {
    const released = await on.run("release-key", [from.id]);
    if (released.length === 0) return null;
    return (await insert(on, [{ create, encoded: prepared.encoded }]))[0] ?? null;
  });
}

async function insert(on: Queryable, batch: readonly Prepared[]): Promise<CreateResult[]> {
  const [only] = batch;
  const alone = batch.length === 1 && only !== undefined && eventsOf(only).length === 0;
  const [answer] = await (alone ? insertOne(on, only) : insertMany(on, batch));
  const now = Number(answer?.now);
  return batch.map((prepared) => created(prepared, now, answer?.holds === true));
}

function insertOne(on: Queryable, prepared: Prepared): Promise<Row[]> {
  const { id, claim, priority } = prepared.create;
  const texts = TEXTS.map((of) => of(prepared));
  return on.run("create-one", [claim?.worker ?? null, id, priority, ...texts, delayOf(prepared), isLimited(prepared)]);
}

function insertMany(on: Queryable, unsorted: readonly Prepared[]): Promise<Row[]> {
  const batch = [...unsorted].sort((a, b) => (a.create.id < b.create.id ? -1 : 1));
  const worker = batch.find(({ create }) => create.claim !== null)?.create.claim?.worker ?? null;
  const columns = [
    worker,
    uuids(batch.map(({ create }) => create.id)),
    int8s(batch.map(({ create }) => create.priority)),
    ...TEXTS.map((of) => texts(batch.map(of))),
    int8s(batch.map(delayOf)),
    bools(batch.map(isLimited)),
  ];
  const events = batch.flatMap(eventsOf);
  return events.length === 0
    ? on.run("create", columns)
    : on.run("create-events", [...columns, ...eventColumns(events)]);
}

/** From $4 on. */
const TEXTS: readonly ((prepared: Prepared) => string | null)[] = [
  ({ create }) => create.tenant,
  ({ create }) => create.type,
  ({ create }) => create.definition,
  ({ create }) => create.version,
  ({ create }) => create.rootId,
  ({ create }) => create.parentId,
  ({ create }) => create.restartedFrom,
  ({ create }) => create.key,
  ({ create }) => create.inputHash,
  ({ create }) => create.businessKey,
  ({ create }) => create.sessionId,
  ({ create }) => create.queue,
  ({ create }) => create.partitionKey,
  ({ encoded }) => encoded.attributes,
  ({ encoded }) => encoded.input,
  ({ create }) => create.claim?.appendId ?? null,
  ({ encoded }) => encoded.records,
];

function created(prepared: Prepared, now: number, leaseHolds: boolean): CreateResult {
  const { create } = prepared;
  const delay = delayOf(prepared);
  const claimed = create.claim !== null && leaseHolds ? create.claim : null;
  const run: RunRow = {
    id: create.id,
    tenant: create.tenant,
    type: create.type,
    definition: create.definition,
    version: create.version,
    status: claimed === null ? "pending" : "running",
    failureReason: null,
    rollbackStatus: "none",
    rootId: create.rootId,
    parentId: create.parentId,
    restartedFrom: create.restartedFrom,
    key: create.key,
    inputHash: create.inputHash,
    businessKey: create.businessKey,
    attributes: create.attributes,
    sessionId: create.sessionId,
    queue: create.queue,
    partitionKey: create.partitionKey,
    priority: create.priority,
    input: create.input,
    output: null,
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    wakeAt: claimed === null ? now + (delay ?? 0) : null,
    startAt: delay === null ? null : now + delay,
    begunAt: null,
    owner: claimed?.worker ?? null,
    fence: claimed === null ? 0 : 1,
    seq: claimed === null ? 0 : 1,
  };
  if (claimed === null) return { kind: "created", run, row: null };
  const { appendId, records } = claimed;
  return { kind: "created", run, row: { v: 1, run: run.id, seq: 1, fence: 1, appendId, at: now, records } };
}

/** The reply of the first call was lost and it was sent again, or somebody uses an id twice. */
async function sameRun(on: Queryable, run: RunRow, create: CreateRun): Promise<CreateResult> {
  const { tenant, definition, key, inputHash, claim } = create;
  if (run.tenant !== tenant || run.definition !== definition || run.key !== key || run.inputHash !== inputHash)
    return { kind: "rejected", reason: `the run id ${create.id} is taken by another run` };
  const [first] = claim === null ? [] : await selectJournal(on, run.id, 0, 1);
  return { kind: "created", run, row: first !== undefined && first.appendId === claim?.appendId ? first : null };
}

/** The run that has the id, or else the one that holds the key. */
async function knownRun(on: Queryable, { id, tenant, definition, key }: CreateRun): Promise<RunRow | undefined> {
  const [same] = await selectRuns(on, "where id = $1::uuid", [id]);
  if (same !== undefined || key === null) return same;
  return (await selectRuns(on, HOLDER, [tenant, definition, key]))[0];
}

const HOLDERS = `where id in (select r.id from unnest($1::text[], $2::text[], $3::text[]) as k (tenant, definition, key)
  join :"schema".runs r on r.tenant = k.tenant and r.definition = k.definition and r.key = k.key and r.key is not null and r.key_held)`;

const HOLDER = "where tenant = $1 and definition = $2 and key = $3 and key is not null and key_held";

function lost(): CreateResult {
  return { kind: "rejected", reason: "expected an answer of the store for this run, got none" };
}
