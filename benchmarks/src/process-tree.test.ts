import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseStat, usageOf } from "./process-tree.js";

describe("a line of /proc/<pid>/stat", () => {
  it("is read though the command's name has spaces and parentheses", () => {
    const line = "4242 (a (b) c) S 17 4242 4242 0 -1 4194560 9 8 0 0 30 12 5 3 20 0 1 0 100 0 0";
    expect(parseStat(line)).toEqual({ pid: 4242, parent: 17, cpuMs: 500 });
  });

  it("is nothing when it is cut off", () => {
    expect(parseStat("4242 (node) S 17 4242")).toBeNull();
  });
});

it.skipIf(!existsSync("/proc/self/stat"))("counts the time of children that have ended", () => {
  const before = usageOf(process.pid).cpuMs;
  const burn = "const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);";
  spawnSync(process.execPath, ["-e", burn]);
  expect(usageOf(process.pid).cpuMs - before).toBeGreaterThanOrEqual(300);
});
