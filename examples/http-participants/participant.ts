/**
 * A service that performs one step and undoes it, behind a barrier: a table in the service's own database, written in
 * the transaction of the effect. It drops duplicate calls (the same answer again), calls that come after their
 * compensation, and calls of an owner that has been replaced.
 */
import { type Database, openDatabase } from "@clean-arch/runtime/sqlite";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";

export interface Service {
  /** The service's own database; effects and barrier share it. */
  readonly file: string;
  readonly action: string;
  readonly compensation: string;
  /** Has the effect, under its key, and gives the answer. A throw leaves nothing behind and is answered with its `statusCode`. */
  readonly perform: (db: Database, key: string, input: Record<string, unknown>) => object;
  /** Undoes what was done under the key. */
  readonly undo: (db: Database, key: string) => void;
}

const BARRIER =
  "create table if not exists calls (key text primary key, run text, fence integer, answer text, undone integer)";

export function participant({ file, action, compensation, perform, undo }: Service): FastifyInstance {
  const db = openDatabase(file);
  db.exec(BARRIER);
  const app = Fastify();
  app.addHook("onClose", async () => db.close());

  app.post<{ Body: { input: Record<string, unknown> } }>(action, async (request) => {
    const { key, run, fence } = protocol(request);
    return db.transaction(() => {
      refuseOlderOwner(db, run, fence);
      const [known] = db.all<{ answer: string | null; undone: number }>("select * from calls where key = ?", [key]);
      if (known?.undone === 1) throw problem(409, "compensated", "the step was undone before this call came");
      if (known?.answer != null) return JSON.parse(known.answer);
      const answer = perform(db, key, request.body.input);
      db.run("insert into calls values (?, ?, ?, ?, 0)", [key, run, fence, JSON.stringify(answer)]);
      return answer;
    });
  });

  app.post<{ Body: { forward_key: string } }>(compensation, async (request, reply) => {
    const { run, fence } = protocol(request);
    const key = request.body.forward_key;
    db.transaction(() => {
      refuseOlderOwner(db, run, fence);
      const [known] = db.all<{ undone: number }>("select * from calls where key = ?", [key]);
      if (known?.undone === 0) undo(db, key);
      // Also when the step never came: the row keeps it out if it still does.
      db.run("insert or replace into calls values (?, ?, ?, null, 1)", [key, run, fence]);
    });
    return reply.code(204).send();
  });

  return app;
}

function protocol({ headers }: FastifyRequest): { key: string; run: string; fence: number } {
  const text = (name: string): string => String(headers[name] ?? "");
  return { key: text("idempotency-key"), run: text("x-run-id"), fence: Number(text("x-run-fence")) };
}

function refuseOlderOwner(db: Database, run: string, fence: number): void {
  const [newest] = db.all<{ fence: number | null }>("select max(fence) as fence from calls where run = ?", [run]);
  if (fence < (newest?.fence ?? 0)) throw problem(409, "stale-fence", "another instance owns this run now");
}

/** Answered by Fastify as JSON with this status, code and message. */
export function problem(statusCode: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { statusCode, code });
}
