import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, start } from "./process.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

export const OPERATOR_TOKEN = "operator-token-of-the-kills";

/** The service of the example, generated, installed and built in a temporary folder. */
export interface GeneratedService {
  readonly folder: string;
  /** Starts a process of it; whether it is ready is for the caller to see. */
  boot(port: number, environment?: Readonly<Record<string, string>>): ReturnType<typeof start>;
  remove(): Promise<void>;
}

export async function generateService(): Promise<GeneratedService> {
  const parent = await mkdtemp(join(tmpdir(), "clean-arch-kill-"));
  const folder = join(parent, "order-service");
  const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
  const config = join(root, "examples/example-config-session.yaml");
  for (const [command, args, cwd] of [
    [process.execPath, [cli, "--config", config, "--out", folder], root],
    ["npm", ["ci", "--no-audit", "--no-fund"], folder],
    ["npm", ["run", "build"], folder],
  ] as const) {
    const { code, output } = await run(command, args, { cwd });
    if (code !== 0) throw new Error(`expected ${command} ${args.join(" ")} to exit with 0, got ${code}:\n${output}`);
  }
  return {
    folder,
    boot: (port, environment = {}) =>
      start(process.execPath, ["dist/main.js"], {
        cwd: folder,
        env: { HTTP_PORT: String(port), HTTP_HOST: "127.0.0.1", OPERATOR_TOKEN, ...environment },
      }),
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}
