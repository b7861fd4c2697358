import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { serve } from "../contender.js";
import type { Measured, Place } from "../protocol.js";
import { readRecording } from "./recording.js";
import { replay } from "./replay.js";
import { sixCommits } from "./six-commits.js";

/** What the database alone allows: recorded statements sent by a bare client, and single commits one after the other. */
let place: Place | null = null;

async function replayed({ databaseUrl, recording }: Place): Promise<Measured> {
  const { wallMs, steps, statements, cpuMs, errors, different } = await replay(readRecording(recording), databaseUrl);
  const notes = [`${statements} statements, ${errors} of them failed, ${different} had another number of rows`];
  return { runs: 1, steps, wallMs, latenciesMs: [wallMs], cpuMs, growths: [], notes };
}

async function committed({ databaseUrl }: Place): Promise<Measured> {
  const cpuBefore = process.cpuUsage();
  const latenciesMs = await sixCommits(databaseUrl);
  const cpu = process.cpuUsage(cpuBefore);
  const wallMs = latenciesMs.reduce((total, value) => total + value, 0);
  const [runs, cpuMs] = [latenciesMs.length, (cpu.user + cpu.system) / 1_000];
  return { runs, steps: runs * 6, wallMs, latenciesMs, cpuMs, growths: [], notes: [] };
}

serve({
  open: async (given) => {
    place = given;
    // Makes the schema; the recording then finds it as its own run did, empty.
    const store = createPostgresRunStore({ url: given.databaseUrl });
    await store.open();
    await store.close();
  },
  measure: async (scenario) => {
    if (place === null) throw new Error("expected to be opened first");
    if (scenario.kind === "replay") return await replayed(place);
    if (scenario.kind === "six-commits") return await committed(place);
    throw new Error(`expected a scenario of the floor, got ${scenario.name}`);
  },
  close: () => Promise.resolve(),
});
