import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { RefusedError } from "./diagnostics.js";
import { snapshot, temporaryFolder } from "./fixture.test.support.js";
import { inspectFolder } from "./folder.js";
import { sha256 } from "./hash.js";
import { LOCK_PATH } from "./lock.js";
import type { Write } from "./plan.js";
import { recoverProject, writeProject } from "./write.js";

const lockOf = (generation: string): string =>
  JSON.stringify({ format: 1, generator: "test", config_hash: generation, files: {} });

const OLD: Record<string, string> = {
  "package.json": "old package",
  "src/main.ts": "old main",
  "src/gone/orphan.ts": "orphan",
  "configs/app.yaml": "same",
  [LOCK_PATH]: lockOf("old"),
};
const NEW: Record<string, string> = {
  "package.json": "new package",
  "src/main.ts": "new main",
  "src/new/deep/file.ts": "created",
  "configs/app.yaml": "same",
  [LOCK_PATH]: lockOf("new"),
};

const between = (before: Record<string, string>, after: Record<string, string>): Write[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort((a, b) => Number(a === LOCK_PATH) - Number(b === LOCK_PATH) || (a < b ? -1 : 1))
    .map((path) => ({
      path,
      bytes: after[path] === undefined ? null : Buffer.from(after[path]),
      mode: path.endsWith("main.ts") ? "755" : "644",
      before: before[path] === undefined ? null : sha256(before[path]),
    }));

let root: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  root = temporaryFolder();
});
afterEach(() => root.remove());

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );

const write = async (folder: string, writes: readonly Write[]): Promise<void> =>
  writeProject(await inspectFolder(folder, folder), writes, { shownAs: folder });

describe("writing", () => {
  test("makes a new project, and the folders above it", async () => {
    const folder = join(root.path, "a", "b", "project");
    await write(folder, between({}, NEW));
    expect(contents(folder)).toEqual(NEW);
    expect(readdirSync(join(root.path, "a", "b"))).toEqual(["project"]);
  });

  test("fills an empty folder", async () => {
    const folder = join(root.path, "project");
    mkdirSync(folder);
    await write(folder, between({}, NEW));
    expect(contents(folder)).toEqual(NEW);
  });

  test("changes a project and leaves what is not ours", async () => {
    const folder = join(root.path, "project");
    await write(folder, between({}, OLD));
    mkdirSync(join(folder, "node_modules/x"), { recursive: true });
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "node_modules/x/index.js"), "theirs");
    writeFileSync(join(folder, "data/project.db"), "data");
    writeFileSync(join(folder, "src/mine.ts"), "mine");
    await write(folder, between(OLD, NEW));
    expect(contents(folder)).toEqual({
      ...NEW,
      "node_modules/x/index.js": "theirs",
      "data/project.db": "data",
      "src/mine.ts": "mine",
    });
    expect(existsSync(join(folder, "src/gone"))).toBe(false);
  });

  test("sets modes whatever the umask", async () => {
    const trees: Record<string, string>[] = [];
    for (const mask of [0o000, 0o077]) {
      const folder = join(root.path, `mask-${mask}`);
      const previous = process.umask(mask);
      try {
        await write(folder, between({}, OLD));
        await write(folder, between(OLD, NEW));
      } finally {
        process.umask(previous);
      }
      trees.push(snapshot(folder));
    }
    expect(trees[0]).toEqual(trees[1]);
    expect(trees[0]).toMatchObject({ src: "755", "src/main.ts": expect.stringMatching(/^755 /) });
    expect(trees[0]?.["package.json"]).toMatch(/^644 /);
  });

  test("refuses a project another run is writing, and leaves that run's work alone", async () => {
    const folder = join(root.path, "project");
    await write(folder, between({}, OLD));
    mkdirSync(join(folder, ".clean-arch/pending"));
    writeFileSync(join(folder, ".clean-arch/pending/pid"), String(process.ppid));
    expect(await codeOf(() => recoverProject(folder, folder))).toBe("busy-folder");
    expect(await codeOf(() => write(folder, between(OLD, NEW)))).toBe("busy-folder");
    rmSync(join(folder, ".clean-arch/pending"), { recursive: true });
    expect(contents(folder)).toEqual(OLD);
  });

  test("follows no link that leads out of the project", async () => {
    const folder = join(root.path, "project");
    await write(folder, between({}, OLD));
    const outside = join(root.path, "outside");
    mkdirSync(outside);
    symlinkSync(outside, join(folder, "src/new"));
    expect(await codeOf(() => write(folder, between(OLD, NEW)))).toBe("folder-is-link");
    expect(readdirSync(outside)).toEqual([]);
  });

  test.each([
    ["../outside.ts", "path"],
    ["/etc/passwd", "path"],
    ["src/../../x", "path"],
  ])("takes no order from a foreign intent that names %s", async (path) => {
    const folder = join(root.path, "project");
    await write(folder, between({}, OLD));
    const pending = join(folder, ".clean-arch/pending");
    mkdirSync(pending);
    writeFileSync(join(pending, "0.staged"), "evil");
    const operations = [{ path, staged: "0.staged", before: null, after: sha256("evil") }];
    writeFileSync(join(pending, "intent.json"), JSON.stringify({ format: 1, operations }));
    expect(await codeOf(() => recoverProject(folder, folder))).toBe("project-damaged");
    expect(readdirSync(root.path)).toEqual(["project"]);
  });
});

describe("a folder is refused", () => {
  test.each([
    [
      "that is not empty and not ours",
      "folder-not-empty",
      (path: string) => {
        mkdirSync(path);
        writeFileSync(join(path, "notes.txt"), "mine");
      },
    ],
    ["that is a file", "not-a-folder", (path: string) => writeFileSync(path, "x")],
    [
      "that is a link",
      "folder-is-link",
      (path: string) => {
        mkdirSync(`${path}-real`);
        symlinkSync(`${path}-real`, path);
      },
    ],
    ["that is a link to nothing", "folder-is-link", (path: string) => symlinkSync(`${path}-nowhere`, path)],
    [
      "whose lock is no lock",
      "bad-lock",
      (path: string) => {
        mkdirSync(join(path, ".clean-arch"), { recursive: true });
        writeFileSync(join(path, LOCK_PATH), "{}");
      },
    ],
    [
      "whose lock is a link",
      "folder-is-link",
      (path: string) => {
        mkdirSync(join(path, ".clean-arch"), { recursive: true });
        symlinkSync("/dev/null", join(path, LOCK_PATH));
      },
    ],
  ])("%s", async (_, code, prepare) => {
    const path = join(root.path, "project");
    prepare(path);
    const before = snapshot(root.path);
    expect(await codeOf(() => inspectFolder(path, path))).toBe(code);
    expect(snapshot(root.path)).toEqual(before);
  });

  test("below a file", async () => {
    writeFileSync(join(root.path, "file"), "x");
    expect(await codeOf(() => inspectFolder(join(root.path, "file", "project"), "project"))).toBe("not-a-folder");
  });

  test.each([
    ["too long a name", () => join(root.path, "x".repeat(300))],
    ["too long a name on the way", () => join(root.path, "a", "b", "x".repeat(300), "project")],
    ["a place where the system makes no folders", () => "/proc/clean-arch-test/project"],
  ])("of %s, when it is written at the latest", async (_, path) => {
    const folder = path();
    expect(await codeOf(() => write(folder, between({}, NEW)))).toBe("folder-not-writable");
    expect(readdirSync(root.path)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)("that cannot be written to", async () => {
    const path = join(root.path, "project");
    mkdirSync(path);
    chmodSync(path, 0o500);
    expect(await codeOf(() => inspectFolder(path, path))).toBe("folder-not-writable");
    expect(await codeOf(() => inspectFolder(join(path, "below"), path))).toBe("folder-not-writable");
  });
});

describe("killed at any step", { timeout: 90_000 }, () => {
  const KILLED_STEPS_MAX = 60;
  let bundle: ReturnType<typeof temporaryFolder>;

  // A process must die for real, and Node 20 runs no TypeScript: the writer is bundled once into a script that can.
  beforeAll(async () => {
    bundle = temporaryFolder();
    const here = fileURLToPath(new URL(".", import.meta.url));
    writeFileSync(join(bundle.path, "entry.ts"), CRASHING_RUN.replaceAll("HERE", here));
    await build({
      root: bundle.path,
      logLevel: "error",
      configFile: false,
      build: { ssr: "entry.ts", outDir: "out", rollupOptions: { output: { entryFileNames: "crash.mjs" } } },
    });
  });
  afterAll(() => bundle.remove());

  /** Runs `what` in a process that kills itself before step `step`; false when it ended before. */
  const killed = (folder: string, what: "write" | "recover", step: number, writes: readonly Write[]): boolean => {
    const plain = writes.map((one) => ({
      ...one,
      bytes: one.bytes === null ? null : Buffer.from(one.bytes).toString(),
    }));
    const { signal, status, stderr } = spawnSync(process.execPath, [join(bundle.path, "out/crash.mjs")], {
      input: JSON.stringify({ folder, what, step, writes: plain }),
      encoding: "utf8",
    });
    if (signal !== "SIGKILL" && status !== 0) throw new Error(stderr);
    return signal === "SIGKILL";
  };

  test("a new project is there whole or not at all, and the next run cleans up", async () => {
    const states = new Set<string>();
    for (let step = 0; step < KILLED_STEPS_MAX; step += 1) {
      const parent = join(root.path, String(step));
      const folder = join(parent, "project");
      mkdirSync(parent);
      const died = killed(folder, "write", step, between({}, NEW));
      if (existsSync(folder)) {
        expect(contents(folder)).toEqual(NEW);
        states.add("new");
      } else {
        states.add("none");
        await write(folder, between({}, NEW));
        expect(contents(folder)).toEqual(NEW);
        expect(readdirSync(parent)).toEqual(["project"]);
      }
      if (!died) return expect(states).toEqual(new Set(["none", "new"]));
    }
    throw new Error("the writer never came to its end");
  });

  test("a project that exists is the old or the new after the next command, also when that is killed", async () => {
    const states: string[] = [];
    for (let step = 0; step < KILLED_STEPS_MAX; step += 1) {
      const folder = join(root.path, String(step));
      await write(folder, between({}, OLD));
      const died = killed(folder, "write", step, between(OLD, NEW));
      // The recovery dies at each of its own steps too, before one may finish.
      for (let again = 0; killed(folder, "recover", again, []); again += 1)
        expect(again).toBeLessThan(KILLED_STEPS_MAX);
      const state =
        JSON.stringify(contents(folder)) === JSON.stringify(sortedLike(contents(folder), OLD)) ? "old" : "new";
      expect(contents(folder)).toEqual(state === "old" ? OLD : NEW);
      expect(readdirSync(join(folder, ".clean-arch"))).toEqual(["lock.json"]);
      states.push(state);
      if (!died) {
        // Once the intent is there, there is no way back to the old.
        expect(states.join(" ")).toMatch(/^(old )+(new ?)+$/);
        return;
      }
    }
    throw new Error("the writer never came to its end");
  });

  const sortedLike = (actual: Record<string, string>, wanted: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.keys(actual).map((path) => [path, wanted[path] ?? ""]));
});

const CRASHING_RUN = `
import { readFileSync } from "node:fs";
import { inspectFolder } from "HERE/folder.ts";
import { recoverProject, writeProject } from "HERE/write.ts";

const { folder, what, step, writes } = JSON.parse(readFileSync(0, "utf8"));
let steps = 0;
const onStep = () => {
  if (steps === step) process.kill(process.pid, "SIGKILL");
  steps += 1;
};
if (what === "recover") recoverProject(folder, folder, onStep);
else {
  const bytes = (text) => (text === null ? null : Buffer.from(text));
  await writeProject(await inspectFolder(folder, folder), writes.map((one) => ({ ...one, bytes: bytes(one.bytes) })), { shownAs: folder, onStep });
}
`;

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof RefusedError) return error.diagnostics[0]?.code ?? "";
    throw error;
  }
  return "accepted";
}
