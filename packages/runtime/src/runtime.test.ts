import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRuntime, saga, systemPorts } from "./index.js";
import { createMemoryRunStore, createMemorySessionStore } from "./stores/memory/index.js";
import { createSqliteRunStore, createSqliteSessionStore } from "./stores/sqlite/index.js";
import { createManualClock } from "./testing/manual-clock.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runtime-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const stores = (file: string) => ({
  runStore: createSqliteRunStore({ file }),
  sessionStore: createSqliteSessionStore({ file }),
});

describe("a runtime on one SQLite file", () => {
  it("keeps sessions and runs over a restart, the run's context among them", async () => {
    const file = join(folder, "all.db");
    const greet = saga("greet")
      .step("remember", { run: ({ context, stage }) => context.patch({ said: stage }) })
      .build();
    const first = createRuntime({ ...stores(file), definitions: [greet] });
    await first.open();
    const { token } = await first.sessions.create({ subject: "ann" });
    const { id } = await first.sagas.start("greet", {});
    expect(await first.sagas.wait(id, 10_000)).toMatchObject({ status: "completed", output: null });
    await first.close();
    await first.close();

    const second = createRuntime({ ...stores(file), definitions: [greet] });
    await second.open();
    expect(await second.sessions.load(token)).toMatchObject({ subject: "ann" });
    expect(await second.sagas.get(id)).toMatchObject({ status: "completed", context: { said: "remember" } });
    await second.close();
  });

  it("leaves nothing open when it cannot start, and says why", async () => {
    const file = join(folder, "not-a-database");
    await writeFile(file, "x".repeat(10_000));
    const runtime = createRuntime({ ...stores(file), definitions: [] });
    await expect(runtime.open()).rejects.toMatchObject({
      code: "store-incompatible",
      message: expect.stringContaining(file),
    });
    await expect(runtime.sagas.start("greet", {})).rejects.toMatchObject({ code: "definition-unknown" });
  });

  it("gives its sessions the rotation and limits of the config, and tells of them", async () => {
    const told: string[] = [];
    const clock = createManualClock();
    const runtime = createRuntime({
      ...{ runStore: createMemoryRunStore({ clock }), sessionStore: createMemorySessionStore({ clock }) },
      ...{ definitions: [], ports: { clock, random: systemPorts.random } },
      config: { rotation: { periodMs: 60_000 }, limits: { perSubject: 1 } },
      sessionEvents: ({ kind }) => void told.push(kind),
    });
    await runtime.open();
    await runtime.sessions.create({ subject: "ann" });
    const { token } = await runtime.sessions.create({ subject: "ann" });
    clock.advance(60_000);
    expect((await runtime.sessions.resume(token))?.token).toEqual(expect.any(String));
    expect(told).toEqual(["created", "evicted", "created", "rotated"]);
    await runtime.close(0);
  });

  it("refuses a definition whose service nobody performs", () => {
    const lonely = saga("lonely").step("call", { service: "nobody", endpoint: "/x" }).build();
    const options = { ...stores(join(folder, "x.db")), definitions: [lonely] };
    expect(() => createRuntime(options)).toThrow(/expected a participant for service "nobody" of step "lonely.call"/);
  });
});
