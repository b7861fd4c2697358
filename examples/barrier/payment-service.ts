/**
 * A service that charges accounts, with Fastify and SQLite. Its two routes stand behind the barrier: however often a call
 * comes, its effect happens once, in the transaction that also remembers it.
 */
import { BusinessRefusal } from "@clean-arch/runtime";
import { fastifyBarrier, sqliteBarrier } from "@clean-arch/runtime/barrier";
import type { Database } from "@clean-arch/runtime/sqlite";
import Fastify, { type FastifyInstance } from "fastify";

interface Charge {
  readonly input: { readonly account: string; readonly cents: number };
}

export async function paymentService(db: Database): Promise<FastifyInstance> {
  db.exec("create table if not exists accounts (name text primary key, cents integer not null)");
  const barrier = sqliteBarrier(db);
  await barrier.migrate();
  const { step, compensation } = fastifyBarrier(barrier);
  const app = Fastify();

  app.post<{ Body: Charge }>(
    "/charge",
    step((tx, request) => {
      const { account, cents } = request.body.input;
      const sql = "update accounts set cents = cents - ? where name = ? and cents >= ?";
      if (tx.run(sql, [cents, account, cents]).changes === 0) throw new BusinessRefusal("not enough money", "no-funds");
      return { charged: cents };
    }),
  );
  app.post<{ Body: Charge }>(
    "/refund",
    compensation((tx, request) => {
      const { account, cents } = request.body.input;
      tx.run("update accounts set cents = cents + ? where name = ?", [cents, account]);
    }),
  );
  return app;
}
