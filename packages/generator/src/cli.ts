/**
 * The command line. Exit codes: 0 done; 1 findings of `verify`, or an edit that would be lost; 2 a config, a flag or a
 * folder that is refused; 70 a fault of ours. What a command needs is imported when it runs, so that none pays for another.
 */
import { parseArgs } from "node:util";

import type { Command, Flags, Io } from "./commands/command.js";
import { bounded, RefusedError, refusal, renderJson, renderText, shown } from "./diagnostics.js";
import { nearestName } from "./naming.js";
import { generatorName } from "./version.js";

const SELF = "clean-arch-generator";

interface CommandEntry {
  readonly load: () => Promise<Command>;
  readonly flags: readonly (keyof typeof FLAGS)[];
  /** Most positional arguments. */
  readonly positionals: number;
}

const FLAGS = {
  config: { type: "string" },
  out: { type: "string" },
  runtime: { type: "string" },
  strict: { type: "boolean" },
  json: { type: "boolean" },
  "dry-run": { type: "boolean" },
  diff: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

const WRITING = ["out", "runtime", "dry-run", "diff", "json"] as const;

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  generate: {
    load: async () => (await import("./commands/generate.js")).generate,
    flags: ["config", "strict", ...WRITING],
    positionals: 0,
  },
  new: { load: async () => (await import("./commands/new.js")).newProject, flags: WRITING, positionals: 1 },
  validate: {
    load: async () => (await import("./commands/validate.js")).validate,
    flags: ["config", "strict", "json"],
    positionals: 1,
  },
  verify: {
    load: async () => (await import("./commands/verify.js")).verify,
    flags: ["strict", "json"],
    positionals: 1,
  },
  schema: { load: async () => (await import("./commands/schema.js")).schema, flags: [], positionals: 0 },
};

const HELP = `${SELF} --config FILE [--out DIR]   write the project of a config, or bring it up to date
${SELF} new NAME [--out DIR]        write a first config and its project
${SELF} validate FILE               say what is wrong with a config
${SELF} verify DIR                  say what is wrong with a project
${SELF} schema                      print the JSON Schema of the config

  --out DIR    where the project goes; default ./<name>
  --dry-run    list what would be written, write nothing
  --diff       show what would be written, write nothing
  --strict     warnings are errors
  --json       messages and results as JSON, one object a line
  --version, --help

Exit codes: 0 done, 1 findings or an edit that would be lost, 2 refused input, 70 a fault of ours.
`;

const standard: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

export async function main(argv: readonly string[], io: Io = standard): Promise<number> {
  const json = argv.includes("--json");
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (error instanceof RefusedError) {
      for (const one of bounded(error.diagnostics)) io.err(`${json ? renderJson(one) : renderText(one)}\n`);
      return error.exitCode;
    }
    const message = error instanceof Error ? error.message : String(error);
    io.err(`${SELF}: a fault of ours: ${message}\n`);
    if (process.env.CLEAN_ARCH_DEBUG === "1" && error instanceof Error) io.err(`${error.stack}\n`);
    return 70;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help === true) return print(io, HELP);
  if (values.version === true) return print(io, `${generatorName}\n`);
  if (argv.length === 0) {
    io.err(HELP);
    return 2;
  }
  const name = positionals[0] ?? "generate";
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const nearest = nearestName(name, Object.keys(COMMANDS));
    const hint = nearest === null ? "see --help" : `did you mean ${nearest}`;
    throw refusal("bad-flag", SELF, `a command (${Object.keys(COMMANDS).join(", ")})`, shown(name), hint);
  }
  for (const flag of Object.keys(values)) {
    if (!(entry.flags as readonly string[]).includes(flag))
      throw refusal("bad-flag", SELF, `a flag of ${name}`, `--${flag}`, "see --help");
  }
  const rest = positionals.slice(1);
  if (rest.length > entry.positionals) {
    const extra = rest[entry.positionals];
    throw refusal(
      "bad-flag",
      SELF,
      entry.positionals === 0 ? `no argument of ${name}` : "one argument",
      shown(extra),
      "see --help",
    );
  }
  const flags = flagsOf(values);
  const command = await entry.load();
  return command({ io, flags, positionals: rest });
}

type Values = Readonly<Record<string, string | boolean>>;

function parse(argv: readonly string[]): { values: Values; positionals: readonly string[] } {
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: FLAGS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const known = Object.hasOwn(FLAGS, token.name) ? FLAGS[token.name as keyof typeof FLAGS] : undefined;
    if (known === undefined) {
      const nearest = nearestName(token.name, Object.keys(FLAGS));
      throw refusal(
        "bad-flag",
        SELF,
        "a flag",
        token.rawName,
        nearest === null ? "see --help" : `did you mean --${nearest}`,
      );
    }
    if (Object.hasOwn(values, token.name)) throw refusal("bad-flag", SELF, "each flag once", token.rawName);
    const wantsValue = known.type === "string";
    if (
      wantsValue &&
      (token.value === undefined || token.value === "" || (!token.inlineValue && token.value.startsWith("-")))
    ) {
      throw refusal("bad-flag", SELF, `a value after ${token.rawName}`, shown(token.value));
    }
    if (!wantsValue && token.value !== undefined)
      throw refusal("bad-flag", SELF, `${token.rawName} alone`, shown(token.value));
    values[token.name] = token.value ?? true;
  }
  return { values, positionals };
}

function flagsOf(values: Values): Flags {
  const text = (name: string): string | undefined => (typeof values[name] === "string" ? values[name] : undefined);
  const [config, out, runtime] = [text("config"), text("out"), text("runtime")];
  if (runtime !== undefined && runtime !== "vendor") {
    const got = runtime === "registry" ? "registry, which is not available in this version" : shown(runtime);
    throw refusal("bad-flag", SELF, "--runtime vendor", got);
  }
  return {
    ...(config === undefined ? {} : { config }),
    ...(out === undefined ? {} : { out }),
    ...(runtime === undefined ? {} : { runtime }),
    strict: values.strict === true,
    json: values.json === true,
    dryRun: values["dry-run"] === true,
    diff: values.diff === true,
  };
}

function print(io: Io, text: string): number {
  io.out(text);
  return 0;
}
