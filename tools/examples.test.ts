import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";

/** The programs of examples/, run as they are; their output is what the documents quote (documents.test.ts). */
const examples = fileURLToPath(new URL("../examples/", import.meta.url));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  "place-order": () => import("../examples/place-order/main.js"),
  "http-participants": () => import("../examples/http-participants/main.js"),
  "many-parcels": () => import("../examples/many-parcels/main.js"),
  "monthly-report": () => import("../examples/monthly-report/main.js"),
  "escalated-approval": () => import("../examples/escalated-approval/main.js"),
  barrier: () => import("../examples/barrier/main.js"),
  "testing-a-saga": () => import("../examples/testing-a-saga/main.js"),
  "thirty-days": async () => {
    vi.stubEnv("TRIAL_WORKER", await bundled("thirty-days/worker.ts"));
    return import("../examples/thirty-days/main.js");
  },
  "settle-orders": () => import("../examples/settle-orders/main.js"),
  "shop-sessions": () => import("../examples/shop-sessions/main.js"),
};

/** A program that another one starts as a process: Node 20 does not run TypeScript, and tests need no build. */
async function bundled(program: string): Promise<string> {
  // Inside the repository, so that the driver is found.
  const folder = await mkdtemp(join(examples, "../node_modules/.example-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const output = { ssr: join(examples, program), outDir: folder, minify: false, target: "node20" } as const;
  const named = { rollupOptions: { output: { entryFileNames: "program.mjs" } } };
  const ssr = { resolve: { conditions: ["source", "module", "node"] }, noExternal: ["@clean-arch/runtime"] };
  await build({ configFile: false, logLevel: "error", root: examples, build: { ...output, ...named }, ssr });
  return join(folder, "program.mjs");
}

describe("the examples", () => {
  it.each(Object.entries(programs))("%s prints what its expected output says", async (name, run) => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    await run();
    expect(`${lines.join("\n")}\n`).toBe(readFileSync(join(examples, name, "output.txt"), "utf8"));
  });

  it("are all run", () => {
    const folders = readdirSync(examples).filter((name) => existsSync(join(examples, name, "main.ts")));
    expect(folders.sort()).toEqual(Object.keys(programs).sort());
  });
});
