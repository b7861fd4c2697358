import { RuntimeError } from "../../errors.js";
import type { ClaimedRun, ClaimRequest } from "../../store/run-store.js";
import { int4s, texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable } from "./connections.js";
import { sqlState } from "./driver-error.js";
import { LineClaims } from "./queues.js";
import { selectClaimed } from "./run-rows.js";
import { takeOver } from "./workers.js";

/** A stale owner's append in flight may take the next seq; it cannot do so again and again, the fence has changed. */
const MAX_TRIES = 10;
/** A lock that does not come free: a former owner's backend is half dead and still holds its last row. */
const BLOCKED = new Set(["55P03", "40P01"]);

/**
 * The journal is read after the `claimed` rows were inserted, so nothing can come before them any more. `mayBury`: false
 * while the store's silence may be why leases look expired.
 */
export async function claim(connections: Connections, request: ClaimRequest, mayBury: boolean): Promise<ClaimedRun[]> {
  if (request.limit <= 0 || request.definitions.length === 0) return [];
  if (mayBury) await takeOver(connections, request.worker);
  const lines = (await connections.writer.run("claim-wake", [])).map((row) => String(row.queue));
  if (lines.length === 0) return claimReady(connections, request);
  // A share for the lines, and one for all else; then what is left of either for the other.
  const queued = new LineClaims(connections, request, lines);
  const begun = await queued.take(Math.ceil(request.limit / 2));
  const ready = await claimReady(connections, { ...request, limit: request.limit - begun.length });
  const more = await queued.take(request.limit - begun.length - ready.length);
  return [...begun, ...ready, ...more].sort(byPriority);
}

async function claimReady(connections: Connections, request: ClaimRequest): Promise<ClaimedRun[]> {
  if (request.limit <= 0) return [];
  try {
    return await connections.transaction((on) => take(on, request, []));
  } catch (error) {
    if (!BLOCKED.has(sqlState(error) ?? "")) throw error;
    return claimSingly(connections, request);
  }
}

/** One blocked run must not keep the others from being taken over. */
async function claimSingly(connections: Connections, request: ClaimRequest): Promise<ClaimedRun[]> {
  const claimed: ClaimedRun[] = [];
  const blocked: string[] = [];
  while (claimed.length + blocked.length < request.limit) {
    let tried: string | undefined;
    try {
      const [one] = await connections.transaction((on) =>
        take(on, { ...request, limit: 1 }, blocked, (id) => {
          tried = id;
        }),
      );
      if (one === undefined) break;
      claimed.push(one);
    } catch (error) {
      if (!BLOCKED.has(sqlState(error) ?? "") || tried === undefined) throw error;
      blocked.push(tried);
    }
  }
  return claimed;
}

async function take(
  on: Queryable,
  { worker, definitions, limit }: ClaimRequest,
  except: readonly string[],
  onTaken: (id: string) => void = () => {},
): Promise<ClaimedRun[]> {
  const names = texts(definitions.map(({ name }) => name));
  const versions = texts(definitions.map(({ version }) => version));
  const taken = await on.run("claim-take", [worker, names, versions, limit, uuids(except)]);
  if (taken.length === 0) return [];
  const ids = taken.map((row) => String(row.id));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) onTaken(only);
  await fenceOff(
    on,
    taken
      .filter((row) => Number(row.fence) > 0)
      .map((row) => ({
        run: String(row.id),
        fence: Number(row.fence) + 1,
        records: JSON.stringify([{ kind: "claimed", worker, ...(row.crashed === true && { crashed: true }) }]),
      })),
  );
  const claimed = await selectClaimed(on, ids);
  return claimed.sort(byPriority);
}

function byPriority(a: ClaimedRun, b: ClaimedRun): number {
  return b.run.priority - a.run.priority || (a.run.id < b.run.id ? -1 : 1);
}

interface Fenced {
  readonly run: string;
  readonly fence: number;
  readonly records: string;
}

async function fenceOff(on: Queryable, runs: readonly Fenced[]): Promise<void> {
  let open = [...runs].sort((a, b) => (a.run < b.run ? -1 : 1));
  for (let tries = 0; open.length > 0; tries++) {
    if (tries === MAX_TRIES) {
      const message = `expected a free place in the journal of run ${open[0]?.run}, it was taken ${MAX_TRIES} times`;
      throw new RuntimeError("store-unavailable", message);
    }
    const done = await on.run("claim-fence", [
      uuids(open.map(({ run }) => run)),
      int4s(open.map(({ fence }) => fence)),
      texts(open.map(({ records }) => records)),
    ]);
    const fenced = new Set(done.map((row) => row.run));
    open = open.filter(({ run }) => !fenced.has(run));
  }
}
