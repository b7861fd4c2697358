/**
 * A saga calls a payment service over a network that loses the first answer to everything: the caller cannot know what
 * happened and asks again. Behind its barrier the service charges once, refunds once, and turns away what comes too late.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusinessRefusal, createRuntime, httpParticipant, saga } from "@clean-arch/runtime";
import { createSqliteRunStore, createSqliteSessionStore, openDatabase } from "@clean-arch/runtime/sqlite";
import { paymentService } from "./payment-service.js";

const folder = await mkdtemp(join(tmpdir(), "barrier-"));
const file = join(folder, "runs.db");
const accounts = openDatabase(join(folder, "payment.db"));
const payment = await paymentService(accounts);
accounts.exec("insert into accounts values ('ada', 1000)");
payment.addHook("onSend", async (request, reply) => {
  // The service has committed; its answer does not arrive.
  if (request.headers["x-attempt"] === "1") reply.raw.destroy();
});
const baseUrl = await payment.listen({ port: 0, host: "127.0.0.1" });

type Order = { readonly account: string; readonly cents: number; readonly inStock: boolean };

const checkout = saga<Order>("checkout")
  .step("charge", {
    service: "payment",
    endpoint: "/charge",
    retry: { initialDelay: "10ms" },
    compensate: { service: "payment", endpoint: "/refund", retry: { initialDelay: "10ms" } },
  })
  .step("ship", {
    run: ({ input }) => {
      if (!input.inStock) throw new BusinessRefusal("nothing is left of it");
      return { shipped: true };
    },
  })
  .build();

const runtime = createRuntime({
  runStore: createSqliteRunStore({ file }),
  sessionStore: createSqliteSessionStore({ file }),
  definitions: [checkout],
  participants: { payment: httpParticipant({ name: "payment", baseUrl }) },
});

try {
  await runtime.open();
  await place({ account: "ada", cents: 300, inStock: true });
  const undone = await place({ account: "ada", cents: 500, inStock: false });
  await place({ account: "ada", cents: 800, inStock: true });

  // A copy of the second order's charge was on its way all the time.
  const late = await fetch(`${baseUrl}/charge`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "idempotency-key": `${undone}:charge`,
      "x-run-id": undone,
      "x-run-fence": "1",
    },
    body: JSON.stringify({ input: { account: "ada", cents: 500 } }),
  });
  const { code } = (await late.json()) as { code: string };
  console.log(`a late copy of the charge: ${late.status} ${code}; ${balance()}`);
} finally {
  await runtime.close();
  await payment.close();
  accounts.close();
  await rm(folder, { recursive: true });
}

async function place(order: Order): Promise<string> {
  const { id } = await runtime.sagas.start("checkout", order);
  const { status, error, steps } = await runtime.sagas.wait(id, 30_000);
  const [charge] = steps;
  console.log(`order of ${order.cents}: ${status}${error === null ? "" : ` (${error.message})`}`);
  console.log(`  charge: ${charge?.status} after ${charge?.attempts} attempts`);
  if (charge?.compensation) console.log(`  refund: ${charge.compensation.status}`);
  console.log(`  ${balance()}`);
  return id;
}

function balance(): string {
  return `ada has ${accounts.all<{ cents: number }>("select cents from accounts")[0]?.cents}`;
}
