import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { withTables } from "../benchmarks/src/readme-table.js";
import { committedTables } from "../benchmarks/src/readmes.js";
import { unavailable } from "../packages/generator/src/spec/availability.js";
import { publishedSchema } from "../packages/generator/src/spec/published.js";
import { readConfig } from "../packages/generator/src/spec/read.js";
import { configReference } from "./config-reference.mjs";
import { type Commands, fences, missingFiles, unknownCommands, wrongQuotes } from "./document-rules.js";
import type { TidyFile } from "./tidy-rules.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const under = (folder: string, suffix: RegExp): TidyFile[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => suffix.test(name))
    .map((name) => join(folder, name).replaceAll("\\", "/"))
    .map((path) => ({ path, text: read(path) }));

const documents: TidyFile[] = [
  ...["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "benchmarks/README.md"].map((path) => ({
    path,
    text: read(path),
  })),
  ...under("docs", /\.md$/),
];

const keysIn = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
const commands: Commands = {
  scripts: new Set([
    ...Object.keys(JSON.parse(read("package.json")).scripts),
    ...keysIn(read("packages/generator/src/targets/project/manifest.ts"), /^\s+"?([\w:]+)"?: "/gm),
  ]),
  targets: new Set(keysIn(read("packages/generator/src/targets/project/make.ts"), /^([a-z-]+):.*## /gm)),
  subcommands: new Set(keysIn(read("packages/generator/src/cli.ts"), /^ {2}"?([a-z]+)"?: (?:\{|\{ load)/gm)),
};

describe("the documents", () => {
  it("name commands that exist", () => {
    for (const known of Object.values(commands)) expect(known.size).toBeGreaterThan(2);
    expect(unknownCommands(documents, commands)).toEqual([]);
  });

  it("quote what is there", () => {
    const sources = new Map(
      [...under("examples", /\.(ts|txt|yaml)$/), ...under("packages/runtime/src", /\.ts$/)].map(({ path, text }) => [
        path,
        text,
      ]),
    );
    expect(documents.flatMap(fences).filter(({ info }) => info.includes(" ")).length).toBeGreaterThan(3);
    expect(wrongQuotes(documents, sources)).toEqual([]);
  });

  it("name tests, in the table of the guide on security, that are there under these titles", () => {
    const named = [...read("docs/guides/security.md").matchAll(/\]\(\.\.\/\.\.\/([^)]+)\) “([^”]+)”/g)];
    expect(named.length).toBeGreaterThan(40);
    for (const [, path = "", title = ""] of named) expect(read(path), `${path}: ${title}`).toContain(`"${title}"`);
  });

  it("name source files that are there", () => {
    const sources = ["packages", "tools", "examples", "benchmarks"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts") && !/(^|\/)(node_modules|dist)\//.test(name))
        .map((name) => `${folder}/${name}`),
    );
    // Guides also speak of files of the reader's project.
    const ours = documents.filter(({ path }) => !path.startsWith("docs/guides/"));
    expect(missingFiles(ours, sources)).toEqual([]);
  });

  it("list every config key as the schema has it (else run `npm run config-reference`)", () => {
    const { version } = JSON.parse(read("packages/generator/package.json"));
    expect(read("docs/guides/config.md")).toBe(configReference(publishedSchema().schema, unavailable, version));
  });

  it.each(["README.md", "README.zh-CN.md"])(
    "%s shows the committed result of the benchmarks and no other (else run `npm run bench -- table`)",
    (path) => {
      expect(read(path)).toBe(withTables(read(path), committedTables()));
    },
  );

  it("say of every key that is refused that it comes later", () => {
    const page = read("docs/guides/config.md");
    for (const { path } of unavailable) {
      const key = path
        .replace("stages.**", "stages[]")
        .replace("tasks.*", "tasks[]")
        .replace("services.*", "services.<name>");
      const line = page.split("\n").find((each) => each.startsWith(`| \`${key}\``) || each === `## ${key}`);
      expect(line, path).toBeDefined();
      if (line?.startsWith("|")) expect(line, path).toContain("later");
    }
  });

  const configs = documents.flatMap(fences).filter(({ info }) => info === "yaml");
  it.each(configs.map(({ where, body }) => [where, body]))(
    "show configs that the generator takes: %s",
    (where, body) => {
      expect(readConfig(Buffer.from(body), where, { strict: true }).warnings).toEqual([]);
    },
  );
});

describe("the rules of documents", () => {
  const file = (text: string): TidyFile[] => [{ path: "a.md", text }];
  const some: Commands = { scripts: new Set(["demo"]), targets: new Set(["run"]), subcommands: new Set(["verify"]) };

  it("refuse a command that does not exist, with its place", () => {
    const text = "text\n```sh\nnpm ci && npm run demo -- --once\nmake run\nclean-arch-generator verify .\n```\n";
    expect(unknownCommands(file(text), some)).toEqual([]);
    const wrong = text.replace("demo", "dmo").replace("make run", "make rum").replace("verify", "verified");
    expect(unknownCommands(file(wrong), some)).toEqual([
      "a.md:2: expected an npm script, got dmo",
      "a.md:2: expected a target of the Makefile, got rum",
      "a.md:2: expected a command of the generator, got verified",
    ]);
  });

  it("refuse the name of a file that is not there", () => {
    const sources = ["packages/runtime/src/a/one.test.ts", "packages/runtime/src/b/two.ts", "tools/three.ts"];
    expect(missingFiles(file("`{a,b}/*.ts` `b/two.ts` `tools/three.ts` `no file`"), sources)).toEqual([]);
    expect(missingFiles(file("`a/{one.test,two}.ts`"), sources)).toEqual(["a.md: expected a file a/two.ts, got none"]);
  });

  it("refuse a quote that is not in its file, and a file that is not there", () => {
    const quote = (name: string, body: string): TidyFile[] => file(`\`\`\`ts ${name}\n${body}\`\`\`\n`);
    const sources = new Map([["x.ts", "one();\ntwo();\nthree();\n"]]);
    expect(wrongQuotes(quote("x.ts", "one();\n// ...\nthree();\n"), sources)).toEqual([]);
    expect(wrongQuotes(quote("x.ts", "four();\n"), sources)).toEqual([
      expect.stringContaining("a.md:1: expected a quote of x.ts"),
    ]);
    expect(wrongQuotes(quote("y.ts", ""), sources)).toEqual(["a.md:1: expected a file to quote, got y.ts"]);
  });
});
