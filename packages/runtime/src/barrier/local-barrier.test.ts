import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { isObject } from "../json.js";
import { localParticipant } from "../participants/local.js";
import { saga } from "../saga/builder.js";
import { openDatabase } from "../stores/sqlite/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { sqliteBarrier } from "./index.js";

const order = saga<{ readonly to: string }>("order")
  .step("charge", {
    service: "payment",
    endpoint: "/charge",
    compensate: { service: "payment", endpoint: "/refund" },
  })
  .step("ship", {
    run: ({ input }) => {
      if (input.to === "nowhere") throw new BusinessRefusal("nobody lives there");
      return null;
    },
  })
  .build();

it("stands before the handlers of a local participant, whose calls it takes as they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "barrier-local-"));
  const bench = await SagaBench.create("sqlite");
  const db = openDatabase(join(folder, "payment.db"));
  db.exec("create table charges (key text)");
  const barrier = sqliteBarrier(db, { clock: bench.clock });
  await barrier.migrate();
  let answersLost = 0;
  const payment = localParticipant({
    name: "payment",
    handlers: {
      "/charge": async (call) => {
        const answer = await barrier.run(call, (tx) => {
          if (isObject(call.input) && call.input.to === "abroad") throw new BusinessRefusal("too expensive");
          tx.run("insert into charges values (?)", [call.idempotencyKey]);
          return { charged: true };
        });
        if (call.attempt < 3) throw new Error(`answer ${++answersLost} is lost`);
        return answer;
      },
    },
    compensations: {
      "/refund": (call) =>
        barrier.run(call, (tx, answered) => {
          expect(answered).toEqual({ charged: true });
          tx.run("delete from charges where key = ?", [call.forwardKey]);
        }),
    },
  });
  const manager = await bench.open([order], {}, { participants: { payment } });
  const ends = [];
  for (const to of ["home", "nowhere", "abroad"]) {
    const { id, status } = await bench.toEnd(manager, "order", { to });
    ends.push(`${status}, ${db.all("select key from charges where key like ?", [`${id}%`]).length} charged`);
  }
  expect(ends).toEqual(["completed, 1 charged", "compensated, 0 charged", "compensated, 0 charged"]);
  expect(answersLost).toBe(4);
  await bench.close();
  db.close();
  rmSync(folder, { recursive: true });
});
