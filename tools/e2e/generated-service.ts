import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, start } from "./process.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

export const OPERATOR_TOKEN = "operator-token-of-the-kills";

/** A service, generated, installed and built in a temporary folder. */
export interface GeneratedService {
  readonly folder: string;
  /** Starts a process of it; whether it is ready is for the caller to see. */
  boot(port: number, environment?: Readonly<Record<string, string>>): ReturnType<typeof start>;
  remove(): Promise<void>;
}

/** `config`: default, the example. `amend`: changes the project before it is installed and built. */
export async function generateService(
  config = join(root, "examples/example-config-session.yaml"),
  amend: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<GeneratedService> {
  const parent = await mkdtemp(join(tmpdir(), "clean-arch-kill-"));
  const folder = join(parent, "order-service");
  const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
  const step = async (command: string, args: readonly string[], cwd: string): Promise<void> => {
    const { code, output } = await run(command, args, { cwd });
    if (code !== 0) throw new Error(`expected ${command} ${args.join(" ")} to exit with 0, got ${code}:\n${output}`);
  };
  await step(process.execPath, [cli, "--config", config, "--out", folder], root);
  await amend(folder);
  await step("npm", ["ci", "--no-audit", "--no-fund"], folder);
  await step("npm", ["run", "build"], folder);
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
