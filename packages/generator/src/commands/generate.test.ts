// Misspelled on purpose: cspell:ignore tiemout sesion reddis ordr stok timeuot mred conifg genrate compnsation prefx
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

import { exampleText, run, snapshot, temporaryFolder } from "../fixture.test.support.js";

let root: ReturnType<typeof temporaryFolder>;
let config: string;
let out: string;

beforeEach(() => {
  root = temporaryFolder();
  config = join(root.path, "config.yaml");
  out = join(root.path, "project");
  writeFileSync(config, exampleText("example-config-session.yaml"));
});
afterEach(() => root.remove());

const generate = (...more: string[]) => run("--config", config, "--out", out, ...more);
const textOf = (path: string): string => readFileSync(join(out, path), "utf8");
const json = (path: string) => JSON.parse(textOf(path));

describe("generating the example", () => {
  test("writes a project whose lock lists each file with owner, hash and mode", async () => {
    const { code, err } = await generate();
    expect([code, err]).toEqual([0, ""]);
    const lock = json(".clean-arch/lock.json");
    expect(lock).toMatchObject({ format: 1, generator: "clean-arch-generator@0.1.0" });
    for (const [path, { owner, sha256, mode }] of Object.entries<{ owner: string; sha256: string; mode: string }>(
      lock.files,
    )) {
      expect(snapshot(out)[path]).toBe(`${mode} ${sha256}`);
      expect(existsSync(join(out, ".clean-arch/base", path))).toBe(owner === "merged");
    }
    expect(Object.keys(lock.files)).toEqual(
      expect.arrayContaining([
        "configs/app.yaml",
        "configs/.env.example",
        "docker-compose.yml",
        "Makefile",
        "package.json",
        "clean-arch.yaml",
      ]),
    );
  });

  test("takes dependencies from the template and the runtime from its vendored tarball", async () => {
    await generate();
    expect(json("package.json")).toMatchObject({
      name: "order-service",
      dependencies: { "@clean-arch/runtime": "file:vendor/clean-arch-runtime-0.1.0.tgz", fastify: "^5.0.0" },
      devDependencies: { typescript: "^6.0.0" },
    });
    const { name, packages } = json("package-lock.json");
    expect(name).toBe("order-service");
    expect(packages[""].dependencies).toEqual(json("package.json").dependencies);
    expect(packages["node_modules/@clean-arch/runtime"]).toEqual({
      version: "0.1.0",
      resolved: "file:vendor/clean-arch-runtime-0.1.0.tgz",
      integrity: "sha512-new",
    });
    expect(packages["node_modules/fastify"]).toEqual({ version: "5.0.0", integrity: "sha512-abc" });
  });

  test("writes compose with three engines that are probed, and the service under its profile", async () => {
    await generate();
    const { services } = parse(textOf("docker-compose.yml"));
    expect(Object.keys(services)).toEqual(["redis", "postgres", "nats", "app"]);
    expect(services.nats.command).toContain("--jetstream");
    expect(services.app.profiles).toEqual(["app"]);
    for (const service of Object.values<{ healthcheck?: unknown }>(services)) expect(service.healthcheck).toBeDefined();
  });

  test("keeps the config as given, under the line that tells editors its schema", async () => {
    await generate();
    expect(textOf("clean-arch.yaml")).toBe(
      `# yaml-language-server: $schema=.clean-arch/schema.json\n${exampleText("example-config-session.yaml")}`,
    );
    expect(json(".clean-arch/schema.json").properties.session).toBeDefined();
  });

  test("is the same tree wherever, whenever and by whomever", async () => {
    const trees: unknown[] = [];
    const { TZ, LANG, LC_ALL } = process.env;
    const mask = process.umask();
    try {
      for (const [zone, language, umask] of [
        ["UTC", "C", 0o022],
        ["Asia/Tokyo", "tr_TR.UTF-8", 0o077],
        ["America/New_York", "de_DE.UTF-8", 0],
      ] as const) {
        Object.assign(process.env, { TZ: zone, LANG: language, LC_ALL: language });
        process.umask(umask);
        const folder = join(root.path, zone.replace("/", "-"));
        expect((await run("--config", config, "--out", folder)).code).toBe(0);
        trees.push(snapshot(folder));
      }
    } finally {
      process.umask(mask);
      for (const [key, value] of Object.entries({ TZ, LANG, LC_ALL })) {
        if (value === undefined) delete process.env[key];
        else process.env[key] = value;
      }
    }
    expect(trees[1]).toEqual(trees[0]);
    expect(trees[2]).toEqual(trees[0]);
  });

  test("again changes nothing", async () => {
    await generate();
    const before = snapshot(out);
    const { code, out: said } = await generate();
    expect([code, said]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect(snapshot(out)).toEqual(before);
    expect((await run("--config", join(out, "clean-arch.yaml"), "--out", out)).out).toContain("nothing to do");
  });
});

describe("the other real inputs", () => {
  test("the fragment is written with a warning, and refused under --strict", async () => {
    writeFileSync(config, exampleText("fragment.yaml"));
    const refused = await generate("--strict");
    expect([refused.code, existsSync(out)]).toEqual([2, false]);
    expect(refused.err).toMatch(/config\.yaml:15:19: error unknown-stage/);
    const { code, err } = await generate();
    expect([code, existsSync(out)]).toEqual([0, true]);
    expect(err).toMatch(/config\.yaml:15:19: warning unknown-stage/);
    expect(json("package.json").name).toBe("project");
  });

  test("only session and long_running of the example are enough", async () => {
    const text = exampleText("example-config-session.yaml");
    writeFileSync(config, text.slice(text.indexOf("session:\n  saga")));
    const { code } = await generate();
    expect(code).toBe(0);
    expect(json("package.json").name).toBe("project");
  });

  test("new writes a commented config that is valid, and its project", async () => {
    const folder = join(root.path, "MyShop");
    expect((await run("new", "MyShop", "--out", folder)).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name).toBe("my-shop");
    expect((await run("validate", join(folder, "clean-arch.yaml"), "--strict")).code).toBe(0);
  });
});

describe("a project that exists", () => {
  beforeEach(async () => {
    await generate();
  });
  const change = (): void =>
    writeFileSync(config, exampleText("example-config-session.yaml").replace("port: 8080", "port: 9090"));

  test("gets what changed; files of the user stay", async () => {
    mkdirSync(join(out, "node_modules"));
    writeFileSync(join(out, "node_modules/x.js"), "theirs");
    writeFileSync(join(out, "README.md"), "mine");
    change();
    const { code, out: said } = await generate();
    expect([code, said]).toEqual([0, expect.stringContaining("1 kept")]);
    expect(parse(textOf("configs/app.yaml")).http.port).toBe(9090);
    expect(textOf("README.md")).toBe("mine");
    expect(textOf("node_modules/x.js")).toBe("theirs");
  });

  test("an edited merged file is kept while ours stays as it was", async () => {
    const edited = `${textOf("Makefile")}\nmine: ## Mine\n\techo mine\n`;
    writeFileSync(join(out, "Makefile"), edited);
    change();
    expect((await generate()).code).toBe(0);
    expect(textOf("Makefile")).toBe(edited);
  });

  test("merged files edited here and changed by us are refused by name, all of them, and nothing is written", async () => {
    writeFileSync(join(out, "configs/app.yaml"), `# mine\n${textOf("configs/app.yaml")}`);
    writeFileSync(join(out, "docker-compose.yml"), `# mine\n${textOf("docker-compose.yml")}`);
    change();
    const before = snapshot(out);
    const { code, err } = await generate();
    expect(code).toBe(1);
    expect(err.match(/error edited-file/g)).toHaveLength(2);
    expect(err).toContain("configs/app.yaml");
    expect(err).toContain("docker-compose.yml");
    expect(snapshot(out)).toEqual(before);
  });

  test("an edited generated file is rewritten, a deleted one comes back, a deleted file of the user's does not", async () => {
    const original = textOf("configs/.env.example");
    writeFileSync(join(out, "configs/.env.example"), "edited");
    rmSync(join(out, ".clean-arch/schema.json"));
    rmSync(join(out, "README.md"));
    expect((await generate()).code).toBe(0);
    expect(textOf("configs/.env.example")).toBe(original);
    expect(existsSync(join(out, ".clean-arch/schema.json"))).toBe(true);
    expect(existsSync(join(out, "README.md"))).toBe(false);
  });

  test("loses what the config no longer needs, unless the user edited it", async () => {
    writeFileSync(join(out, "Dockerfile"), "FROM mine\n");
    writeFileSync(config, `${exampleText("example-config-session.yaml")}\ndeploy: {docker: false}\n`);
    const { code, err } = await generate();
    expect(code).toBe(0);
    expect(err).toMatch(/Dockerfile:1:1: warning edited-file/);
    expect([existsSync(join(out, "Dockerfile")), existsSync(join(out, ".dockerignore"))]).toEqual([true, false]);
    expect(existsSync(join(out, ".clean-arch/base/.dockerignore"))).toBe(false);
  });

  test("--dry-run and --diff say what the run does, and write nothing", async () => {
    change();
    const before = snapshot(out);
    const dry = await generate("--dry-run");
    expect(dry.out).toMatch(/^rewrite {3}configs\/app\.yaml$/m);
    const diff = await generate("--diff");
    expect(diff.out).toContain("--- a/configs/app.yaml\n+++ b/configs/app.yaml\n");
    expect(diff.out).toMatch(/^- {2}port: 8080\n\+ {2}port: 9090$/m);
    expect(snapshot(out)).toEqual(before);
    const ran = JSON.parse((await generate("--json")).out);
    const listed = dry.out.match(/^rewrite +(.*)$/gm)?.map((line) => line.replace(/^rewrite +/, ""));
    expect(ran.rewrite).toEqual(listed);
  });
});

describe("bad input is refused with 2, a place, no stack, and nothing written", () => {
  const cases: [name: string, content: string | Uint8Array, place: RegExp][] = [
    ["empty", "", /config\.yaml:1:1: error empty-file/],
    ["not YAML", "a: [", /config\.yaml:1:\d+: error yaml-syntax/],
    ["binary", Buffer.from([0, 1, 2, 255, 254]), /config\.yaml:1:4: error not-utf8/],
    ["2 MiB", `a: ${"x".repeat(2 << 20)}`, /config\.yaml:1:1: error file-too-large/],
    ["duplicate keys", "session: {}\nsession: {}\n", /config\.yaml:2:1: error duplicate-key/],
    ["tabs", "session:\n\tsaga: {}\n", /config\.yaml:2:1: error yaml-tab/],
    [
      "a hundred nested aliases",
      `a0: &a0 [x]\n${Array.from({ length: 100 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`).join("\n")}`,
      /config\.yaml:\d+:\d+: error yaml-aliases/,
    ],
    ["__proto__", "session: {__proto__: {x: 1}}\n", /config\.yaml:1:11: error forbidden-key session\.__proto__/],
    ["an unknown key", "sessions: {}\n", /config\.yaml:1:1: error unknown-key sessions: .*did you mean session$/m],
    [
      "two stages of one name",
      "long_running: {tasks: [{name: t, stages: [{name: a, service: s, endpoint: /a}, {name: a, service: s, endpoint: /b}]}]}\n",
      /config\.yaml:1:\d+: error duplicate-name/,
    ],
    [
      "an entity called class",
      "domain: {entities: [{name: class, fields: [{name: a, type: text}]}]}\n",
      /config\.yaml:1:28: error reserved-name/,
    ],
    [
      "an entity called ../../x",
      "domain: {entities: [{name: ../../x, fields: [{name: a, type: text}]}]}\n",
      /config\.yaml:1:28: error bad-name/,
    ],
  ];

  test.each(cases)("%s", async (_, content, place) => {
    writeFileSync(config, content);
    const before = snapshot(root.path);
    const { code, out: said, err } = await generate();
    expect([code, said]).toEqual([2, ""]);
    expect(err).toMatch(place);
    expect(err).not.toMatch(/^\s+at /m);
    expect(snapshot(root.path)).toEqual(before);
  });

  test("ten thousand mistakes are told in a hundred lines and a bounded one", async () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `key_${i}_${"x".repeat(i === 0 ? 900 : 1)}: 1`);
    writeFileSync(config, keys.join("\n"));
    const { code, err } = await generate();
    const lines = err.trimEnd().split("\n");
    expect([code, lines.length]).toEqual([2, 101]);
    expect(lines.at(-1)).toMatch(/error more-messages: expected at most 100 messages, got \d+ more at least/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1000);
  });

  test("one mistake among many warnings is told first", async () => {
    const services = Array.from({ length: 150 }, (_, i) => `  service_${i}: {}`);
    writeFileSync(config, `services:\n${services.join("\n")}\nhttp: {port: 0}\n`);
    const { code, err } = await generate();
    expect(code).toBe(2);
    expect(err.split("\n")[0]).toMatch(/^\S+:152:14: error out-of-range http\.port/);
  });

  test.each([
    ["no config", ["--out", "x"], /expected `--config FILE`/],
    ["a config that is not there", ["--config", "/nowhere/x.yaml"], /file-not-found/],
    ["a config that is a folder", ["--config", "/"], /not-a-file/],
    ["an unknown flag", ["--conifg", "x"], /did you mean --config/],
    ["an unknown command", ["genrate"], /did you mean generate/],
    ["a flag without its value", ["--config"], /expected a value after --config/],
    ["a flag twice", ["--config", "a", "--config", "b"], /each flag once/],
    ["a flag of another command", ["verify", ".", "--out", "x"], /expected a flag of verify, got --out/],
    ["one argument too many", ["verify", "a", "b"], /expected one argument/],
    ["a runtime that is not there yet", ["--config", "x", "--runtime", "registry"], /not available in this version/],
    ["a hostile name", ["new", "../../x"], /bad-name/],
  ])("%s", async (_, argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("a folder that is neither empty nor ours", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "notes.txt"), "mine");
    const before = snapshot(root.path);
    const { code, err } = await generate();
    expect(code).toBe(2);
    expect(err).toMatch(/project:1:1: error folder-not-empty: .*choose another --out, or empty it/);
    expect(snapshot(root.path)).toEqual(before);
  });

  test("a link out, as the folder or inside it", async () => {
    const outside = join(root.path, "outside");
    mkdirSync(outside);
    symlinkSync(outside, out);
    expect((await generate()).err).toMatch(/error folder-is-link/);
    rmSync(out);
    await generate();
    rmSync(join(out, "configs"), { recursive: true });
    symlinkSync(outside, join(out, "configs"));
    const { code, err } = await generate();
    expect([code, err]).toEqual([2, expect.stringContaining("folder-is-link")]);
    expect(snapshot(outside)).toEqual({});
  });

  test("a name for the project that npm could not install, or that is none", async () => {
    writeFileSync(config, "project: {name: fastify}\n");
    expect((await generate()).err).toMatch(/reserved-name/);
    writeFileSync(config, "session: {}\n");
    expect((await run("--config", config, "--out", join(root.path, "订单"))).err).toMatch(
      /bad-name.*set project\.name/,
    );
  });

  test("--json says the same as one object a line", async () => {
    writeFileSync(config, "sessions: {}\nhttp: {port: 0}\n");
    const { code, err } = await generate("--json");
    expect(code).toBe(2);
    const said = err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(said.map((one) => [one.severity, one.code, one.line, one.column, one.key])).toEqual([
      ["error", "unknown-key", 1, 1, "sessions"],
      ["error", "out-of-range", 2, 14, "http.port"],
    ]);
    expect(said[0]).toMatchObject({ file: config, got: '"sessions"', hint: "did you mean session" });
  });
});

describe("hostile text in values", () => {
  const hostile = "`${process.exit(1)}` \u2028 */ \n' \" \\ </script> {{x}} %00 $(id) # ---";

  test("stays text in every file", async () => {
    const quoted = JSON.stringify(hostile);
    writeFileSync(
      config,
      `project: {name: shop, description: ${quoted}, author: ${quoted}, license: ${quoted}}\nservices: {s: {url: "http://s", headers: {X-A: ${JSON.stringify(hostile.replace(/[\n\u2028]/g, "").replace("${process.exit(1)}", "x"))}}}}\nlong_running: {tasks: [{name: t, stages: [{name: a, service: s, endpoint: /a}]}]}\n`,
    );
    const { code, err } = await generate();
    expect([code, err]).toEqual([0, ""]);
    expect(json("package.json")).toMatchObject({ description: hostile, author: hostile, license: hostile });
    expect(parse(textOf("configs/app.yaml")).services.s.headers["X-A"]).toContain("</script> {{x}}");
    expect(parse(textOf("docker-compose.yml")).name).toBe("shop");
    expect(textOf("README.md").split("\n")[2]).toMatch(/^\\`\\\$\\\{process/);
    for (const line of textOf("configs/.env.example").split("\n")) expect(line).toMatch(/^(#.*)?$/);
    expect((await run("verify", out)).err).toBe("");
  });
});

describe("make", () => {
  test("reads the Makefile: every promised target is there and help lists them", async () => {
    await generate();
    cpSync(join(out, "Makefile"), join(root.path, "Makefile"));
    const help = execFileSync("make", ["-C", out, "help"], { encoding: "utf8" });
    for (const target of [
      "install",
      "build",
      "run",
      "test",
      "types",
      "verify",
      "migrate-up",
      "migrate-down",
      "clean",
    ]) {
      expect(help).toMatch(new RegExp(`^  ${target} +\\S`, "m"));
    }
  });
});
