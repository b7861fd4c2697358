import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";

/** The programs of examples/, run as they are; their output is what the documents quote (documents.test.ts). */
const examples = fileURLToPath(new URL("../examples/", import.meta.url));
afterEach(() => vi.restoreAllMocks());

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  "place-order": () => import("../examples/place-order/main.js"),
  "http-participants": () => import("../examples/http-participants/main.js"),
  "many-parcels": () => import("../examples/many-parcels/main.js"),
  "monthly-report": () => import("../examples/monthly-report/main.js"),
  "escalated-approval": () => import("../examples/escalated-approval/main.js"),
  barrier: () => import("../examples/barrier/main.js"),
  "settle-orders": () => import("../examples/settle-orders/main.js"),
  "shop-sessions": () => import("../examples/shop-sessions/main.js"),
};

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
