import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, fail } from "./expectations.mjs";
import { ended, run } from "./instance.mjs";
import { say, title } from "./say.mjs";

const TASK = "nightly_settlement";
const STAGE = "settle";
/** As the example's config says: what a kill may have done again at most is a chunk of each slot. */
const CHUNK = 100;
const CONCURRENCY = 4;
/** Parts of the whole that are settled when a process is killed. */
const KILLS_AT = [0.2, 0.5, 0.8];
const LOOK_EVERY_MS = 50;
const SAY_EVERY = 0.05;
/** Without any progress: longer than a lease, and than the start of a process. */
const STANDSTILL_MS = 60_000;

/** Made by the service's own command, before it starts. */
export async function seedOrders(out, orders, databaseUrl) {
  title(`2. ${orders} confirmed orders, made by the service's seed command`);
  const data = join(out, "data");
  if (databaseUrl === undefined && existsSync(data)) {
    rmSync(data, { recursive: true });
    say("deleted the data of the demo before");
  }
  const args = [
    "run",
    "--silent",
    "seed",
    "--",
    "--entity",
    "order",
    "--count",
    `${orders}`,
    "--set",
    "status=confirmed",
  ];
  const seconds = await run("npm", args, out, databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl });
  say(`npm ${args.join(" ")} (${seconds.toFixed(1)} s)`);
}

/**
 * Settles all orders while processes are killed, and asks the participant's ledger what became of each. Gives the instances that are left;
 * `start`: on a port, one more.
 */
export async function settleOrders(instances, start, orders) {
  const alone = instances.length === 1;
  const victims = alone ? "the process is" : "one of the two instances is, in turn,";
  title(`3. ${TASK}: ${victims} killed with SIGKILL three times, and started again`);
  const left = [...instances];
  const { id } = await left[0].client.startTask(TASK, {}, { key: `demo-settlement-${Date.now()}` });
  const startedAt = Date.now();
  for (const [kills, share] of KILLS_AT.entries()) {
    const place = alone ? 0 : kills % left.length;
    await untilSettled(left[0].client, id, orders, share);
    const victim = left[place];
    victim.child.kill("SIGKILL");
    await ended(victim.child);
    const killedAt = Date.now();
    say(`killed process ${victim.child.pid}, ${kills + 1} of ${KILLS_AT.length}`);
    left[place] = await start(victim.port);
    const settled = settledOf(await left[place].client.run(id));
    await untilMore(left[place].client, id, settled);
    say(`it goes on ${((Date.now() - killedAt) / 1_000).toFixed(1)} s after the kill`);
  }
  await untilSettled(left[0].client, id, orders, 1);
  const run = await left[0].client.waitForEnd(id, STANDSTILL_MS);
  const seconds = (Date.now() - startedAt) / 1_000;
  say(`${orders} orders in ${seconds.toFixed(1)} s, all kills and leases included`);
  await checkLedger(left[0].client, run, orders);
  return left;
}

/** Prints how far it is on the way, a line for each twentieth. */
async function untilSettled(client, id, orders, share) {
  let said = null;
  let best = { settled: -1, at: Date.now() };
  for (;;) {
    const run = await client.run(id);
    const settled = settledOf(run);
    const part = settled / orders;
    const step = Math.floor(part / SAY_EVERY);
    if (said !== step && (said !== null || settled > 0)) sayProgress(run, settled, orders);
    said = step;
    if (part >= share || run.status === "completed") return;
    if (!["pending", "running", "waiting"].includes(run.status))
      fail(`expected ${TASK} to go on, it is ${run.status}: ${JSON.stringify(run.error)}`);
    if (settled > best.settled) best = { settled, at: Date.now() };
    if (Date.now() - best.at > STANDSTILL_MS)
      fail(`expected progress within ${STANDSTILL_MS} ms, ${settled} of ${orders} are settled all the while`);
    await pause();
  }
}

async function untilMore(client, id, before) {
  const deadline = Date.now() + STANDSTILL_MS;
  for (;;) {
    const run = await client.run(id);
    if (settledOf(run) > before || run.status === "completed") return;
    if (Date.now() > deadline) fail(`expected ${TASK} to go on within ${STANDSTILL_MS} ms of the kill, it did not`);
    await pause();
  }
}

function settledOf({ progress }) {
  return progress == null ? 0 : progress.done + progress.failed + progress.skipped;
}

function sayProgress({ progress }, settled, orders) {
  const rate = progress.rate === null ? "" : `, ${Math.round(progress.rate)} a second`;
  const left = progress.left_ms == null ? "" : `, ${Math.ceil(progress.left_ms / 1_000)} s left`;
  say(
    `${`${Math.floor((settled / orders) * 100)} %`.padStart(5)}  ${settled} of ${progress.total ?? "?"}${rate}${left}`,
  );
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

/** What the participant saw, against the orders and against what the batch says of itself. */
async function checkLedger(client, run, orders) {
  title("4. What the participant's ledger says");
  expect("its status", run.status, "completed");
  expect("its own counters", run.output, { items: orders, done: orders, failed: 0, skipped: 0 });
  const entries = await client.ledger(run.id);
  const confirmed = (await client.orders()).filter(({ status }) => status === "confirmed");
  const settled = new Map();
  for (const { stage, kind } of entries) {
    const key = /^items\[(.+)\]\/settle$/.exec(stage)?.[1];
    if (key === undefined || kind !== "forward")
      fail(`expected nothing but orders to be settled, got ${kind} ${stage}`);
    settled.set(key, (settled.get(key) ?? 0) + 1);
  }
  expect("orders that were settled", settled.size, orders);
  expect("orders that were settled twice", [...settled.values()].filter((times) => times > 1).length, 0);
  expect("orders that were not settled", confirmed.filter(({ id }) => !settled.has(id)).length, 0);
  expect("confirmed orders", confirmed.length, orders);
  const repeated = entries.reduce((sum, { calls }) => sum + calls - 1, 0);
  const bound = KILLS_AT.length * CONCURRENCY * CHUNK;
  say(`${repeated} calls of ${STAGE} were repeated over ${KILLS_AT.length} kills, and had no second effect`);
  if (repeated > bound)
    fail(`expected at most ${bound} repeated calls, a chunk of each slot for each kill, got ${repeated}`);
}
