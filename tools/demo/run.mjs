#!/usr/bin/env node
// The main job, end to end: one YAML file becomes a service, the service takes orders, one of them is declined and undone,
// and one survives the death of its process. Fails loudly when any of that is not so. No server is needed; with DATABASE_URL
// set to a PostgreSQL server the service runs there, in two instances, and one takes over from the other. The demo makes a
// database of its own on that server and drops it when it ends.
//
//   npm run demo                 leaves the service running and prints where
//   npm run demo -- --once       exits when the orders have ended
//   npm run demo -- --again      takes the project of the demo before, as it is
//   npm run demo -- --choreography   one word of the example changed: its stages react to each other's events
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDemoDatabase } from "./database.mjs";
import { expect, fail } from "./expectations.mjs";
import { ended, freePort, killAll, run, startInstance } from "./instance.mjs";
import { ServiceClient } from "./service-client.mjs";
import { printTimeline } from "./timeline.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const isChoreographed = process.argv.includes("--choreography");
const out = join(root, isChoreographed ? "out/choreographed-order-service" : "out/order-service");
const example = join(root, "examples/example-config-session.yaml");
const once = process.argv.includes("--once");
const again = process.argv.includes("--again");
const TOKEN = "demo-operator-token";

let database = null;
process.on("exit", killAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => finish(130));

try {
  await main();
  await finish(0);
} catch (error) {
  console.error(`\ndemo failed: ${error instanceof Error ? error.message : error}`);
  await finish(1);
}

/** Leaves nothing running, and no database. */
async function finish(code) {
  killAll();
  try {
    await database?.drop();
    if (database !== null) say(`dropped the database ${database.name}`);
  } catch (error) {
    console.error(`could not drop the database ${database.name}: ${error.message}`);
  }
  process.exit(code);
}

async function main() {
  title("1. One YAML file becomes a service");
  if (again) say(`the project of the demo before: ${out}`);
  else await generate();
  database = await createDemoDatabase(process.env.DATABASE_URL, out);
  if (database !== null) say(`made the database ${database.name} on the server of DATABASE_URL, for this demo alone`);

  // On SQLite one process works at a time; on PostgreSQL as many as there are.
  const instances = [await start(8080)];
  if (database !== null) instances.push(await start(instances[0].port + 1));
  const [{ client }] = instances;
  if (instances.length > 1) {
    const seen = await client.instances();
    expect("instances that share the database", seen.filter(({ alive }) => alive).length, 2);
  }

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

  const [survived, left] = await surviveKill(instances);
  await expectOneEffectPerKey(left[0].client, [completed.id, declined.id, unshippable.id, survived.id]);

  title("All ended as they should");
  if (once) {
    for (const { child } of left) {
      child.kill("SIGTERM");
      expect("the exit code of a graceful stop", await ended(child), 0);
    }
    return;
  }
  for (const { base } of left) say(`The service is running on ${base} (stop it with Ctrl-C)`);
  const [{ base }] = left;
  say(`  API description    ${base}/docs`);
  say(`  health             ${base}/health/ready`);
  say(`  runs               curl -H 'Authorization: Bearer ${TOKEN}' ${base}/api/v1/runs`);
  say(`  the project        ${out}`);
  if (database !== null) say(`  the database       ${database.name}, until the demo ends`);
  await Promise.race(left.map(({ child }) => ended(child)));
}

async function generate() {
  const config = isChoreographed ? choreographed() : example;
  const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
  const steps = [
    ["npm run build", "npm", ["run", "--silent", "build"], root],
    ["clean-arch-generator", process.execPath, [cli, "--config", config, "--out", out], root],
    ["npm ci", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], out],
    ["npm run build", "npm", ["run", "--silent", "build"], out],
  ];
  for (const [name, command, args, folder] of steps) {
    if (name === "clean-arch-generator") clearOutput();
    say(`${name} (${(await run(command, args, folder)).toFixed(1)} s)`);
  }
}

/** The example with one word of it changed, and nothing else. */
function choreographed() {
  const path = join(root, "out/choreographed-config-session.yaml");
  const text = readFileSync(example, "utf8");
  const changed = text.replace('orchestration: "orchestration"', 'orchestration: "choreography"');
  if (changed === text) fail("expected the example to say orchestration, it does not");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, changed);
  return path;
}

/** Kills the process that performs a stage; gives the run at its end, and the instances that are left. */
async function surviveKill([first, ...others]) {
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

/** Deletes the output of an earlier demo, and nothing else: a folder without our lock is somebody's. */
function clearOutput() {
  if (!existsSync(out)) return;
  if (!existsSync(join(out, ".clean-arch/lock.json")))
    fail(`expected ${out} to be an earlier demo's output, it has no .clean-arch/lock.json; move it away`);
  rmSync(out, { recursive: true, force: true });
}

async function start(preferredPort) {
  const port = await freePort(preferredPort);
  const base = `http://127.0.0.1:${port}`;
  const child = await startInstance(out, { port, token: TOKEN, databaseUrl: database?.url });
  say(`service ready on ${base} (process ${child.pid})`);
  return { port, base, child, client: new ServiceClient(base, TOKEN) };
}

function stepNames({ steps }, status) {
  return steps.filter((step) => step.status === status).map((step) => step.name);
}

function title(text) {
  console.log(`\n\u001b[1m${text}\u001b[0m`);
}

function say(text) {
  console.log(`  ${text}`);
}
