import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { serveSagas } from "../sagas/contender.js";
import type { Measured } from "../sagas/protocol.js";
import { readRecording } from "./recording.js";
import { Replay } from "./replay.js";
import { sixCommits } from "./six-commits.js";

/** What the database alone allows: recorded statements sent by a bare client, and single commits one after the other. */
let replay: Replay | null = null;
let databaseUrl = "";

async function replayed(): Promise<Measured> {
  if (replay === null) throw new Error("expected to be opened first");
  const { wallMs, steps, statements, cpuMs, errors, different } = await replay.run();
  const notes = [`${statements} statements, ${errors} failed, ${different} had another number of rows`];
  return { runs: 1, steps, wallMs, latenciesMs: [wallMs], cpuMs, growths: [], notes };
}

async function committed(): Promise<Measured> {
  const cpuBefore = process.cpuUsage();
  const latenciesMs = await sixCommits(databaseUrl);
  const cpu = process.cpuUsage(cpuBefore);
  const wallMs = latenciesMs.reduce((total, value) => total + value, 0);
  const [runs, cpuMs] = [latenciesMs.length, (cpu.user + cpu.system) / 1_000];
  return { runs, steps: runs * 6, wallMs, latenciesMs, cpuMs, growths: [], notes: [] };
}

serveSagas({
  open: async (place) => {
    databaseUrl = place.databaseUrl;
    // Makes the schema; the recording then finds it as its own run did, empty.
    const store = createPostgresRunStore({ url: databaseUrl });
    await store.open();
    await store.close();
    replay = await Replay.prepare(readRecording(place.recording), databaseUrl);
  },
  measure: async ({ kind, name }) => {
    if (kind === "replay") return await replayed();
    if (kind === "six-commits") return await committed();
    throw new Error(`expected a scenario of the floor, got ${name}`);
  },
  close: async () => await replay?.close(),
});
