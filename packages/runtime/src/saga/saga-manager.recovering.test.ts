import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hangs, SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, recovering", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("finishes after a crash what another process had begun, without repeating what was done", async () => {
    const log: string[] = [];
    const definition = (hanging: boolean) =>
      saga("s")
        .step("a", { run: scripted("a", log).run })
        .step("b", { run: hanging ? hangs : scripted("b again", log).run, timeout: "1h" })
        .build();
    const first = await bench.open([definition(true)]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(100);
    // Closed without grace, the attempt under way is cut off like in a crash; what it did is unknown.
    await bench.until(first.close(0));
    const second = await bench.open([definition(false)]);
    const run = await bench.until(second.wait(id, 600_000));
    expect(run).toMatchObject({ status: "completed", steps: [{ attempts: 1 }, { attempts: 2 }] });
    expect(log).toEqual(["a", "b again"]);
  });

  it("hands runs back on close once the attempts under way have ended", async () => {
    const log: string[] = [];
    const definition = saga("s")
      .step("a", {
        run: async () => {
          await bench.later(1_000);
          log.push("a done");
        },
      })
      .step("b", { run: () => log.push("b") })
      .build();
    const first = await bench.open([definition]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.until(first.close(5_000));
    expect(log).toEqual(["a done"]);
    const second = await bench.open([definition]);
    expect(await bench.until(second.wait(id, 60_000))).toMatchObject({
      status: "completed",
      steps: [{ attempts: 1 }, { attempts: 1 }],
    });
  });

  it("leaves runs alone whose definition it lacks, and says so", async () => {
    const first = await bench.open([saga("old").step("a", { run: hangs, timeout: "1h" }).build()]);
    const { id } = await bench.until(first.start("old", {}));
    await bench.until(first.close(0));
    const second = await bench.open([
      saga("new")
        .step("a", { run: () => 1 })
        .build(),
    ]);
    await bench.pass(60_000);
    expect(await second.get(id)).toMatchObject({ status: "running", steps: [{ name: "a" }] });
    expect((await second.health()).detail).toMatch(/old@/);
  });
});
