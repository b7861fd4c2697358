/**
 * A saga over two services that speak HTTP, all in one program: stock is reserved, then the card is charged. The payment
 * service is busy at first and is asked again; the third order's card is declined, and its stock is given back.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntime, httpParticipant, saga } from "@clean-arch/runtime";
import { createSqliteRunStore, createSqliteSessionStore, openDatabase } from "@clean-arch/runtime/sqlite";
import { participant, problem } from "./participant.js";

const folder = await mkdtemp(join(tmpdir(), "http-participants-"));
const files = { stock: join(folder, "stock.db"), payment: join(folder, "payment.db"), runs: join(folder, "runs.db") };

const stock = participant({
  file: files.stock,
  action: "/reserve",
  compensation: "/release",
  perform(db, key, { quantity }) {
    db.exec("create table if not exists reservations (key text, quantity integer)");
    db.run("insert into reservations values (?, ?)", [key, Number(quantity)]);
    return { reserved: quantity };
  },
  undo: (db, key) => db.run("delete from reservations where key = ?", [key]),
});

let busy = true;
const payment = participant({
  file: files.payment,
  action: "/charge",
  compensation: "/refund",
  perform(_db, _key, { cents }) {
    if (Number(cents) > 10_000) throw problem(402, "card-declined", "the card's limit is 100.00");
    if (busy) {
      busy = false;
      throw problem(503, "busy", "come again");
    }
    return { charged: cents };
  },
  // Nothing is kept here that a refund would have to give back; the barrier alone matters.
  undo: () => {},
});

type Order = { readonly quantity: number; readonly cents: number };

const orders: readonly Order[] = [
  { quantity: 1, cents: 990 },
  { quantity: 2, cents: 1_980 },
  { quantity: 3, cents: 29_700 },
];

const checkout = saga<Order>("checkout")
  .step("reserve", { service: "stock", endpoint: "/reserve", compensate: { service: "stock", endpoint: "/release" } })
  .step("charge", {
    service: "payment",
    endpoint: "/charge",
    timeout: "2s",
    retry: { initialDelay: "50ms" },
    compensate: { service: "payment", endpoint: "/refund" },
  })
  .build();

const runtime = createRuntime({
  runStore: createSqliteRunStore({ file: files.runs }),
  sessionStore: createSqliteSessionStore({ file: files.runs }),
  definitions: [checkout],
  participants: {
    stock: httpParticipant({ name: "stock", baseUrl: await stock.listen({ port: 0, host: "127.0.0.1" }) }),
    payment: httpParticipant({ name: "payment", baseUrl: await payment.listen({ port: 0, host: "127.0.0.1" }) }),
  },
});

try {
  await runtime.open();
  for (const order of orders) await place(order);
  const database = openDatabase(files.stock);
  console.log(`reserved: ${JSON.stringify(database.all("select quantity from reservations"))}`);
  database.close();
} finally {
  await runtime.close();
  await Promise.all([stock.close(), payment.close()]);
  await rm(folder, { recursive: true });
}

async function place(input: Order): Promise<void> {
  const { id } = await runtime.sagas.start("checkout", input);
  const { status, error, steps } = await runtime.sagas.wait(id, 30_000);
  console.log(`${input.quantity} for ${input.cents}: ${status}${error === null ? "" : ` (${error.message})`}`);
  for (const step of steps) {
    const undone = step.compensation === null ? "" : `, then ${step.compensation.status}`;
    console.log(`  ${step.name}: ${step.status}, attempts: ${step.attempts}${undone}`);
  }
}
