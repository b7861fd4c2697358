import { expect, fail } from "./expectations.mjs";
import { ended } from "./instance.mjs";
import { say, title } from "./say.mjs";
import { printTimeline } from "./timeline.mjs";

/** Orders that complete, are undone, and survive the death of their process; gives the instances that are left. `start`: on a port, one more. */
export async function placeOrders(instances, start) {
  const [{ client }] = instances;
  title("2. An order that completes");
  const completed = await order(client, { order_id: "A-1", total: "99.90" });
  expect("its status", completed.status, "completed");
  expect("its steps", stepNames(completed, "completed"), [
    "validate_order",
    "reserve_inventory",
    "process_payment",
    "ship_order",
  ]);

  title("3. An order whose payment is declined: what was done is undone");
  const declined = await order(client, {
    order_id: "A-2",
    total: "12.50",
    simulate: { process_payment: { status: 402 } },
  });
  expect("its status", declined.status, "compensated");
  expect("what was undone", await undoneSteps(client, declined), ["reserve_inventory"]);

  title("   ... and one that cannot be shipped: the payment goes back first, then the stock");
  const unshippable = await order(client, {
    order_id: "A-2b",
    total: "12.50",
    simulate: { ship_order: { status: 422 } },
  });
  expect("its status", unshippable.status, "compensated");
  expect("what was undone, in order", await undoneSteps(client, unshippable), ["process_payment", "reserve_inventory"]);

  const [survived, left] = await surviveKill(instances, start);
  await expectOneEffectPerKey(left[0].client, [completed.id, declined.id, unshippable.id, survived.id]);
  return left;
}

/** Kills the process that performs a stage; gives the run at its end, and the instances that are left. */
async function surviveKill([first, ...others], start) {
  const alone = others.length === 0;
  title(
    `4. An order during which ${alone ? "the service is killed with SIGKILL, and started again" : "its instance is killed with SIGKILL: the other takes it over"}`,
  );
  const key = `demo-order-A-3-${Date.now()}`;
  const input = { order_id: "A-3", total: "42.00", simulate: { process_payment: { delay_ms: 3000 } } };
  const started = await first.client.startSaga("order_processing", input, { key });
  await first.client.untilStep(started.id, "process_payment", "running");
  first.child.kill("SIGKILL");
  await ended(first.child);
  say(`killed process ${first.child.pid} in the middle of process_payment`);
  const left = alone ? [await start(first.port)] : others;
  const [{ client }] = left;
  const survived = await client.waitForEnd(started.id, 60_000);
  printTimeline(survived, await client.journal(survived.id));
  expect("its status", survived.status, "completed");
  const repeated = await client.startSaga("order_processing", input, { key });
  expect("the run that the same idempotency key gives", repeated.id, started.id);
  return [survived, left];
}

/** Places an order, waits for its end and prints its timeline. */
async function order(client, input) {
  const ended = await client.startSaga("order_processing", input, { wait: 30 });
  printTimeline(ended, await client.journal(ended.id));
  return ended;
}

async function undoneSteps(client, { id }) {
  const records = (await client.journal(id)).flatMap((row) => row.records);
  return records.filter((record) => record.kind === "compensated").map((record) => record.step);
}

/** Each call was made at least once; each effect happened once per idempotency key. */
async function expectOneEffectPerKey(client, runs) {
  const entries = (await client.ledger()).filter((entry) => runs.includes(entry.run));
  const keys = entries.map((entry) => entry.key);
  expect("idempotency keys in the participants' ledger, each once", keys.length, new Set(keys).size);
  if (entries.length === 0) fail("expected the participants' ledger to know the runs, got no entry");
  say(`the participants' ledger: ${entries.length} effects, each under its own idempotency key`);
}

function stepNames({ steps }, status) {
  return steps.filter((step) => step.status === status).map((step) => step.name);
}
