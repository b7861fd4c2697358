import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { run, temporaryFolder } from "./fixture.test.support.js";

describe("--help", () => {
  test("of the program names every command and flag", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    for (const name of ["--config FILE", "new NAME", "validate FILE", "verify DIR", "schema"])
      expect(out).toContain(name);
    for (const flag of ["--out", "--dry-run", "--diff", "--strict", "--json"]) expect(out).toContain(flag);
  });

  test.each([
    ["generate", ["--config", "--out", "--runtime", "--dry-run", "--diff", "--strict", "--json"]],
    ["new", ["--out", "--runtime", "--dry-run", "--diff", "--json"]],
    ["validate", ["--config", "--strict", "--json"]],
    ["verify", ["--strict", "--json"]],
    ["schema", []],
  ])("of %s names its own flags", async (name, flags) => {
    const { code, out } = await run(name, "--help");
    expect(code).toBe(0);
    expect([...out.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag)).toEqual([...flags, "--version"]);
  });
});

describe("in a project, make verify", () => {
  let root: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => root.remove());

  const project = async (...below: string[]): Promise<string> => {
    const folder = join(root.path, ...below, "shop");
    expect((await run("new", "shop", "--out", folder)).code).toBe(0);
    return folder;
  };

  test("takes the generator that is installed in a folder above", async () => {
    const folder = await project("out");
    const bin = join(root.path, "node_modules/.bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "clean-arch-generator"), '#!/bin/sh\necho "called with $*"\n');
    chmodSync(join(bin, "clean-arch-generator"), 0o755);
    expect(execFileSync("make", ["-s", "-C", folder, "verify"], { encoding: "utf8" })).toBe("called with verify .\n");
  });

  test("says where to look when there is none", async () => {
    const folder = await project();
    const { status, stdout } = spawnSync("make", ["-s", "-C", folder, "verify", "GENERATOR=no-such-generator"], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([
      2,
      'expected clean-arch-generator on the PATH; see README.md, "Generate again"\n',
    ]);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("## Generate again");
  });
});
