import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  bareMarkers,
  brokenLinks,
  decisionRecords,
  drawers,
  machineTraces,
  type TidyFile,
  tooLong,
} from "./tidy-rules.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is in the repository or about to be: tracked files and new ones that are not ignored. Binary files are left out. */
function repository(): TidyFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const paths = [...new Set(listed.toString("utf8").split("\0"))].filter((path) => path !== "");
  return paths
    .filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .map((path) => ({ path, bytes: readFileSync(join(root, path)) }))
    .filter(({ bytes }) => !bytes.includes(0))
    .map(({ path, bytes }) => ({ path, text: bytes.toString("utf8") }));
}

const file = (path: string, text = ""): TidyFile => ({ path, text });
const lines = (count: number): string => "line\n".repeat(count);
const marker = ["TO", "DO"].join("");
/** The rules read this file too, so a planted trace is put together at run time. */
const slash = "/";

describe("this repository", () => {
  const files = repository();

  it.each(Object.entries({ tooLong, drawers, bareMarkers, machineTraces, brokenLinks, decisionRecords }))(
    "keeps the rule %s",
    (_, rule) => {
      expect(files.length).toBeGreaterThan(0);
      expect(rule(files)).toEqual([]);
    },
  );
});

describe("the rules of the house", () => {
  it("refuse a source file of more than 400 lines, unless it is listed with a reason", () => {
    expect(tooLong([file("a.ts", lines(400)), file("b.md", lines(900))], {})).toEqual([]);
    expect(tooLong([file("a.ts", lines(401))], {})).toEqual([
      expect.stringContaining("a.ts: expected at most 400 lines, got 401"),
    ]);
    expect(tooLong([file("a.ts", lines(401))], { "a.ts": "one table" })).toEqual([]);
    expect(tooLong([file("a.ts", lines(401))], { "a.ts": "" })).toHaveLength(1);
  });

  it("refuse an exemption that is no longer needed", () => {
    expect(tooLong([file("a.ts", lines(10))], { "a.ts": "one table" })).toEqual([
      expect.stringContaining("drop the entry"),
    ]);
  });

  it.each(["src/utils.ts", "src/helpers/dates.ts", "src/types.test.ts", "src/common.mjs", "src/misc/index.ts"])(
    "refuse the drawer %s",
    (path) => {
      expect(drawers([file(path)])).toEqual([expect.stringContaining(path)]);
    },
  );

  it("permit a name that only contains a drawer's name", () => {
    expect(drawers([file("src/type-only.ts"), file("src/util-inspect.ts"), file("docs/common.md")])).toEqual([]);
  });

  it("refuse a marker without a reason and permit one with", () => {
    expect(bareMarkers([file("a.ts", `ok\n// ${marker} later`)])).toEqual([expect.stringContaining("a.ts:2:")]);
    expect(bareMarkers([file("a.ts", `// ${marker}: later`)])).toHaveLength(1);
    expect(bareMarkers([file("a.ts", `// ${marker}: stores with partitions need this`)])).toEqual([]);
  });

  it.each(["work", "root", "Users", `home${slash}ada`])("refuse an absolute path under /%s", (folder) => {
    expect(machineTraces([file("a.json", `"${slash}${folder}${slash}project"`)])).toHaveLength(1);
  });

  it("permit relative paths and urls with the same words", () => {
    // Put together here, so that this file holds no path of a machine itself.
    const [work, root] = ["work", "root"].map((folder) => `${slash}${folder}${slash}`);
    const text = [
      `src${work}claim.ts`,
      `https://example.org${work}1`,
      `$${"{base}"}${root}x`,
      `${slash}home${slash}node${slash}app`,
    ];
    expect(machineTraces([file("a.md", text.join("\n"))])).toEqual([]);
  });

  it("refuse a registry's host and a tarball's address", () => {
    const host = ["registry", "npmjs", "org"].join(".");
    expect(machineTraces([file("a.md", `see ${host}`)])).toHaveLength(1);
    expect(machineTraces([file("package-lock.json", `"resolved": "${"https"}://mirror.example/x"`)])).toHaveLength(1);
    expect(machineTraces([file("a.yaml", `url: ${"https"}://mirror.example/x-1.0.0${".tgz"}`)])).toHaveLength(1);
    expect(machineTraces([file("package-lock.json", '"resolved": "packages/runtime"')])).toEqual([]);
  });

  it("refuse a link that leads nowhere", () => {
    const broken = (text: string) =>
      brokenLinks([file("docs/a.md", text), file("docs/b.md", "# The two"), file("src/c.ts")]);
    expect(
      broken("[b](b.md) [up](../src/c.ts) [folder](../src/) [self](#here)\n# Here\n[out](https://example.org)"),
    ).toEqual([]);
    expect(broken("[b](b.md#the-two)")).toEqual([]);
    expect(broken("[b](./gone.md)")).toEqual([expect.stringContaining("gone.md leads nowhere")]);
    expect(broken("[b](b.md#the-three)")).toEqual([expect.stringContaining("names a heading")]);
    expect(broken("`[b](gone.md)`\n```\n[b](gone.md)\n```\n")).toEqual([]);
  });

  it("refuse decision records with a gap in their numbers or missing in the index", () => {
    const index = file("docs/decisions/README.md", "[one](0001-one.md) [three](0003-three.md)");
    expect(decisionRecords([index, file("docs/decisions/0001-one.md")])).toEqual([]);
    const gap = decisionRecords([index, file("docs/decisions/0001-one.md"), file("docs/decisions/0003-three.md")]);
    expect(gap).toEqual([expect.stringContaining("expected the next number, 0002")]);
    const unlisted = decisionRecords([index, file("docs/decisions/0001-one.md"), file("docs/decisions/0002-two.md")]);
    expect(unlisted).toEqual([expect.stringContaining("expected a link from")]);
  });
});
