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
//   npm run demo -- --settlement     instead of orders one by one: 100,000 of them, settled by the nightly batch while its process is
//                                    killed three times, each exactly once; --orders N for another number
import { parseArgs } from "node:util";
import { createDemoDatabase } from "./database.mjs";
import { expect } from "./expectations.mjs";
import { ended, freePort, killAll, startInstance } from "./instance.mjs";
import { placeOrders } from "./orders.mjs";
import { generate, projectFolder } from "./project.mjs";
import { say, title } from "./say.mjs";
import { ServiceClient } from "./service-client.mjs";
import { seedOrders, settleOrders } from "./settlement.mjs";

const { values: options } = parseArgs({
  options: {
    ...{ once: { type: "boolean" }, again: { type: "boolean" }, choreography: { type: "boolean", default: false } },
    ...{ settlement: { type: "boolean", default: false }, orders: { type: "string", default: "100000" } },
  },
});
const out = projectFolder(options.choreography);
const orders = wholeNumber(options.orders);
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

function wholeNumber(text) {
  if (/^[1-9][0-9]{3,7}$/.test(text)) return Number(text);
  console.error(`expected --orders from 1000 to 99999999, got ${text}`);
  process.exit(2);
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
  if (options.again) say(`the project of the demo before: ${out}`);
  else await generate(out, options.choreography);
  database = await createDemoDatabase(process.env.DATABASE_URL, out);
  if (database !== null) say(`made the database ${database.name} on the server of DATABASE_URL, for this demo alone`);
  if (options.settlement) await seedOrders(out, orders, database?.url);

  // On SQLite one process works at a time; on PostgreSQL as many as there are.
  const instances = [await start(8080)];
  if (database !== null) instances.push(await start(instances[0].port + 1));
  const [{ client }] = instances;
  if (instances.length > 1) {
    const seen = await client.instances();
    expect("instances that share the database", seen.filter(({ alive }) => alive).length, 2);
  }

  const left = options.settlement ? await settleOrders(instances, start, orders) : await placeOrders(instances, start);

  title("All ended as they should");
  if (options.once) {
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

async function start(preferredPort) {
  const port = await freePort(preferredPort);
  const base = `http://127.0.0.1:${port}`;
  const child = await startInstance(out, { port, token: TOKEN, databaseUrl: database?.url });
  say(`service ready on ${base} (process ${child.pid})`);
  return { port, base, child, client: new ServiceClient(base, TOKEN) };
}
