// cspell:ignore datistemplate
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startPostgres } from "@clean-arch/test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { run, start, stop } from "./process.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const example = join(root, "examples/example-config-session.yaml");
const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
const MINUTES = 60_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clean-arch-e2e-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const generator = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [cli, ...args], { cwd: root, env });

async function expectSuccess(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await run(command, args, { cwd });
  expect(code, `${command} ${args.join(" ")}\n${output}`).toBe(0);
  return output;
}

describe("the demo and the service it leaves behind", () => {
  const service = join(root, "out/order-service");

  it(
    "generates, installs, starts and proves the example, and exits with 0",
    async () => {
      const output = await expectSuccess("npm", ["run", "demo", "--", "--once"], root);
      for (const end of ["ended: completed", "ended: compensated", "taken over by another worker"])
        expect(output).toContain(end);
    },
    4 * MINUTES,
  );

  it(
    "runs on PostgreSQL when DATABASE_URL says so: two instances, one killed, and no database left behind",
    async () => {
      const server = await startPostgres();
      try {
        const { code, output } = await run("npm", ["run", "demo", "--", "--once", "--again"], {
          cwd: root,
          env: { DATABASE_URL: server.url() },
        });
        expect(code, output).toBe(0);
        for (const told of ["instances that share the database: 2", "taken over by another worker"])
          expect(output).toContain(told);
        expect(server.run("SELECT count(*) FROM pg_database WHERE NOT datistemplate")).toBe("1");
      } finally {
        await server.remove();
      }
    },
    2 * MINUTES,
  );

  /** It says itself what it saw, and exits with 0 only then. */
  const settle = (env: Readonly<Record<string, string>> = {}) =>
    run("npm", ["run", "demo", "--", "--settlement", "--once", "--again", "--orders", "4000"], { cwd: root, env });

  it(
    "settles thousands of orders by its nightly batch over three kills, each once",
    async () => {
      const { code, output } = await settle();
      expect(code, output).toBe(0);
      for (const told of ["3 of 3", "orders that were settled: 4000", "orders that were settled twice: 0"])
        expect(output).toContain(told);
    },
    4 * MINUTES,
  );

  it(
    "does so on PostgreSQL, in two instances that are killed in turn",
    async () => {
      const server = await startPostgres();
      try {
        const { code, output } = await settle({ DATABASE_URL: server.url() });
        expect(code, output).toBe(0);
        for (const told of ["instances that share the database: 2", "3 of 3", "orders that were settled: 4000"])
          expect(output).toContain(told);
      } finally {
        await server.remove();
      }
    },
    4 * MINUTES,
  );

  it(
    "passes its own tests and type check",
    async () => {
      await expectSuccess("npm", ["test"], service);
      await expectSuccess("npx", ["tsc", "--noEmit"], service);
    },
    3 * MINUTES,
  );

  it("installs at most 150 packages", async () => {
    const lock = JSON.parse(await readFile(join(service, "node_modules/.package-lock.json"), "utf8"));
    expect(Object.keys(lock.packages).length).toBeLessThanOrEqual(150);
  });

  it(
    "is started by make run, and stops gracefully",
    async () => {
      const port = await freePort();
      const { child, output } = start("make", ["run"], {
        cwd: service,
        env: { PORT: String(port), HTTP_HOST: "127.0.0.1" },
      });
      try {
        await expect
          .poll(
            () =>
              fetch(`http://127.0.0.1:${port}/health/ready`).then(
                (response) => response.status,
                () => output(),
              ),
            { timeout: 60_000, interval: 100 },
          )
          .toBe(200);
      } finally {
        await stop(child, "SIGTERM");
      }
      expect(output()).toContain("stopped");
    },
    2 * MINUTES,
  );

  it("verifies, until its domain imports from the infrastructure", async () => {
    await expectSuccess(process.execPath, [cli, "verify", "."], service);
    const file = join(service, "src/domain/order/order.ts");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      `${text}import type { Settings } from "../../infrastructure/config/settings.js";\nexport type Leak = Settings;\n`,
    );
    const { code, output } = await run(process.execPath, [cli, "verify", "."], { cwd: service });
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`src/domain/order/order\\.ts:${text.split("\n").length}:`));
    await writeFile(file, text);
    await expectSuccess(process.execPath, [cli, "verify", "."], service);
  });
});

describe("the same config", () => {
  it("gives byte-identical trees under another time zone, locale and umask", async () => {
    const [first, second] = [join(folder, "one/order-service"), join(folder, "two/order-service")];
    expect(
      (
        await generator(["--config", example, "--out", first], {
          TZ: "Asia/Tokyo",
          LANG: "tr_TR.UTF-8",
          LC_ALL: "tr_TR.UTF-8",
        })
      ).code,
    ).toBe(0);
    const shell = `umask 077; exec "${process.execPath}" "${cli}" --config "${example}" --out "${second}"`;
    expect(
      (await run("sh", ["-c", shell], { cwd: folder, env: { TZ: "America/New_York", LANG: "C", LC_ALL: "C" } })).code,
    ).toBe(0);
    const tree = await treeOf(first);
    expect(tree.length).toBeGreaterThan(100);
    expect(await treeOf(second)).toEqual(tree);
  });
});

describe("configs that say less", () => {
  it.each([
    [
      "only session and long_running",
      async () => stringify(pick(parse(await readFile(example, "utf8")), ["session", "long_running"])),
    ],
    ["the smallest fragment", () => readFile(join(root, "examples/fragment.yaml"), "utf8")],
  ])(
    "give a service that installs, passes its tests and verifies: %s",
    async (title, text) => {
      const config = join(folder, `${title.replaceAll(/\W+/g, "-")}.yaml`);
      const out = config.replace(".yaml", "");
      await writeFile(config, await text());
      const { code, output } = await generator(["--config", config, "--out", out]);
      expect(code, output).toBe(0);
      await expectSuccess("npm", ["ci", "--no-audit", "--no-fund"], out);
      await expectSuccess("npx", ["tsc", "--noEmit"], out);
      await expectSuccess("npm", ["test"], out);
      await expectSuccess(process.execPath, [cli, "verify", out], out);
    },
    4 * MINUTES,
  );

  it("the fragment's compensation without a stage is a warning, and an error under --strict", async () => {
    const fragment = join(root, "examples/fragment.yaml");
    const relaxed = await generator(["validate", fragment]);
    expect([relaxed.code, relaxed.output]).toEqual([
      0,
      expect.stringMatching(/fragment\.yaml:\d+:\d+: warning .*process_payment/),
    ]);
    const strict = await generator(["validate", fragment, "--strict"]);
    expect([strict.code, strict.output]).toEqual([
      2,
      expect.stringMatching(/fragment\.yaml:\d+:\d+: error .*process_payment/),
    ]);
  });
});

function pick(object: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, object[key]]));
}

/** Every file with its mode and the hash of its bytes. */
async function treeOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = files.map(async (file) => {
    const hash = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    return `${file.slice(path.length)} ${((await stat(file)).mode & 0o777).toString(8)} ${hash}`;
  });
  return (await Promise.all(lines)).sort();
}
