#!/usr/bin/env node
// Packs what a published generator carries into template/: the reference service as data and the runtime as a tarball.
// The tarball is the same on every machine: its files are staged with fixed modes, and npm fixes their times and owners.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { readReferenceService } from "../dist/template.js";

const packages = fileURLToPath(new URL("../../", import.meta.url));
const target = join(packages, "generator", "template");
const runtime = join(packages, "runtime");

const npmPack = (args, cwd) =>
  JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", ...args], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    }),
  )[0];

const staging = mkdtempSync(join(tmpdir(), "clean-arch-pack-"));
try {
  for (const { path } of npmPack(["--dry-run"], runtime).files) {
    const to = join(staging, path);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(runtime, path), to);
    chmodSync(to, 0o644);
  }
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const { filename: fileName, version } = npmPack(["--pack-destination", target], staging);
  const bytes = readFileSync(join(target, fileName));
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const { files, packageJson, packageLock } = readReferenceService(join(packages, "reference-service"));
  const packed = {
    format: 1,
    files: Object.fromEntries(files),
    packageJson,
    packageLock,
    runtime: { version, fileName, integrity },
  };
  writeFileSync(join(target, "template.json"), `${JSON.stringify(packed)}\n`);
  console.log(`template: ${files.size} files, ${fileName} ${bytes.length} bytes`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}
