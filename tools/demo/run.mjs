#!/usr/bin/env node
// The main job, end to end, with no server: one YAML file becomes a service, the service takes orders, one of them is
// declined and undone, and one survives the death of its process. Fails loudly when any of that is not so.
//
//   npm run demo               leaves the service running and prints where
//   npm run demo -- --once     exits when the three orders have ended
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, fail } from "./expectations.mjs";
import { ServiceClient } from "./service-client.mjs";
import { printTimeline } from "./timeline.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const out = join(root, "out/order-service");
const config = join(root, "examples/example-config-session.yaml");
const once = process.argv.includes("--once");

const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`\ndemo failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

async function main() {
  title("1. One YAML file becomes a service");
  await run("npm", ["run", "--silent", "build"], root);
  clearOutput();
  await run(
    process.execPath,
    [join(root, "packages/generator/bin/clean-arch-generator.js"), "--config", config, "--out", out],
    root,
  );
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], out);
  await run("npm", ["run", "--silent", "build"], out);

  const port = await freePort(8080);
  const token = "demo-operator-token";
  let service = await start(port, token);
  const client = new ServiceClient(`http://127.0.0.1:${port}`, token);

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

  title("4. An order during which the service is killed with SIGKILL, and started again");
  const key = "demo-order-A-3";
  const input = { order_id: "A-3", total: "42.00", simulate: { process_payment: { delay_ms: 3000 } } };
  const started = await client.startSaga("order_processing", input, { key });
  await client.untilStep(started.id, "process_payment", "running");
  service.kill("SIGKILL");
  await ended(service);
  say(`killed process ${service.pid} in the middle of process_payment`);
  service = await start(port, token);
  const survived = await client.waitForEnd(started.id, 60_000);
  printTimeline(survived, await client.journal(survived.id));
  expect("its status", survived.status, "completed");
  const again = await client.startSaga("order_processing", input, { key });
  expect("the run that the same idempotency key gives", again.id, started.id);
  await expectOneEffectPerKey(client, [completed.id, declined.id, unshippable.id, survived.id]);

  title("All ended as they should");
  if (once) {
    service.kill("SIGTERM");
    const code = await ended(service);
    expect("the exit code of a graceful stop", code, 0);
    return;
  }
  say(`The service is running on http://127.0.0.1:${port} (stop it with Ctrl-C)`);
  say(`  API description    http://127.0.0.1:${port}/docs`);
  say(`  health             http://127.0.0.1:${port}/health/ready`);
  say(`  runs               curl -H 'Authorization: Bearer ${token}' http://127.0.0.1:${port}/api/v1/runs`);
  say(`  the project        ${out}`);
  await ended(service);
}

/** Places an order, waits for its end and prints its timeline. */
async function order(client, input) {
  const run = await client.startSaga("order_processing", input, { wait: 30 });
  printTimeline(run, await client.journal(run.id));
  return run;
}

async function undoneSteps(client, run) {
  const records = (await client.journal(run.id)).flatMap((row) => row.records);
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

async function start(port, token) {
  const child = spawn(process.execPath, ["dist/main.js"], {
    cwd: out,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PORT: String(port),
      HTTP_HOST: "127.0.0.1",
      OPERATOR_TOKEN: token,
      OBSERVABILITY_LOG_LEVEL: "warn",
      NODE_ENV: "development",
    },
  });
  children.add(child);
  let output = "";
  const keep = (chunk) => {
    output = (output + chunk).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) fail(`expected the service to start, it exited with ${child.exitCode}:\n${output}`);
    const ready = await fetch(`${base}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) {
      say(`service ready on ${base} (process ${child.pid})`);
      return child;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return fail(`expected the service to be ready within 30 s, it was not:\n${output}`);
}

function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

function run(command, args, cwd) {
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
    children.add(child);
    child.once("error", reject);
    child.once("exit", (code) => {
      children.delete(child);
      const words = [
        command === process.execPath ? "clean-arch-generator" : command,
        ...args.filter((arg) => !arg.endsWith(".js")),
      ];
      if (code !== 0) return reject(new Error(`expected "${words.join(" ")}" to exit with 0, got ${code}`));
      say(`${words.slice(0, 3).join(" ")} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
      resolve();
    });
  });
}

/** `preferred`, else the next port that nobody listens on. */
async function freePort(preferred) {
  for (let port = preferred; port < preferred + 100; port++) {
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "0.0.0.0", () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (free) return port;
  }
  return fail(`expected a free port from ${preferred} on, got none in 100`);
}

function stepNames(run, status) {
  return run.steps.filter((step) => step.status === status).map((step) => step.name);
}

function title(text) {
  console.log(`\n\u001b[1m${text}\u001b[0m`);
}

function say(text) {
  console.log(`  ${text}`);
}
