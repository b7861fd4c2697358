import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "@clean-arch/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { createRuntime, type Runtime, saga } from "../../index.js";
import { createSqliteRunStore } from "../sqlite/index.js";
import { createRedisSessionStore } from "./session-store.js";

/** A Redis that persists nothing, and is killed while runs have their contexts in it. */

it("runs finish, with all that their steps returned, while Redis is gone", async () => {
  const { server, open, atGate } = await setUp();
  const runtime = await open();
  const ids = [];
  for (let n = 0; n < 5; n += 1) ids.push((await runtime.sagas.start("s", { n })).id);
  await atGate(5);
  await server.kill();
  for (const id of ids) await runtime.sagas.signal(id, "go", {}, { actor: "test" });
  for (const [n, id] of ids.entries())
    expect(await runtime.sagas.wait(id, 15_000)).toMatchObject({
      ...{ status: "completed", context: { first: n, second: n + 1 } },
    });
});

it("another instance takes them over from the journal, with a Redis that came back empty", async () => {
  const { server, open, atGate } = await setUp();
  const first = await open();
  const ids = [];
  for (let n = 0; n < 5; n += 1) ids.push((await first.sagas.start("s", { n })).id);
  await atGate(5);
  await server.kill();
  await first.close(0);
  await server.start();
  const second = await open();
  for (const id of ids) await second.sagas.signal(id, "go", {}, { actor: "test" });
  for (const [n, id] of ids.entries())
    expect(await second.sagas.wait(id, 15_000)).toMatchObject({
      ...{ status: "completed", context: { first: n, second: n + 1 } },
    });
});

async function setUp() {
  const server = await startRedis();
  onTestFinished(() => server.remove());
  const folder = await mkdtemp(join(tmpdir(), "runs-without-redis-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let returned = 0;
  let told: () => void = () => {};
  const definition = saga<{ readonly n: number }>("s")
    .step("first", {
      run: ({ input }) => {
        returned += 1;
        told();
        return { context: { first: input.n } };
      },
    })
    .waitFor("gate", { signal: "go" })
    .step("second", {
      run: ({ context }) => ({ context: { second: Number((context.get() as { first: number }).first) + 1 } }),
    })
    .build();
  return {
    server,
    async open(): Promise<Runtime> {
      const runtime = createRuntime({
        runStore: createSqliteRunStore({ file: join(folder, "runs.db") }),
        sessionStore: createRedisSessionStore({ url: server.url, commandTimeoutMs: 200 }),
        definitions: [definition],
      });
      await runtime.open();
      onTestFinished(() => runtime.close(0));
      return runtime;
    },
    /** Resolves when the first step of so many runs has run. */
    async atGate(runs: number): Promise<void> {
      while (returned < runs)
        await new Promise<void>((resolve) => {
          told = resolve;
        });
    },
  };
}
