/** `generate`: a config becomes a project, or brings the project it has up to date. */
import { readFileSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";

import { buildModel } from "../build-model.js";
import { dataChanges } from "../data-changes.js";
import { refusal } from "../diagnostics.js";
import { unifiedDiff } from "../diff.js";
import { guardPath, inspectFolder } from "../folder.js";
import { BASE_FOLDER } from "../lock.js";
import type { Model } from "../model.js";
import { namesOf } from "../naming.js";
import { buildPlan, type Change, type Comparison, comparePlan } from "../plan.js";
import { readConfig } from "../spec/read.js";
import type { Config } from "../spec/schema.js";
import { renderTargets } from "../targets/index.js";
import { loadTemplate, type Template } from "../template.js";
import { recoverProject, writeProject } from "../write.js";
import { type Command, type Invocation, printDiagnostics, readConfigFile } from "./command.js";

const CONFIG_PATH = "clean-arch.yaml";

export const generate: Command = async (invocation) => {
  const { flags } = invocation;
  if (flags.config === undefined) {
    throw refusal("bad-flag", "clean-arch-generator", "`--config FILE`", "no config", "or `new NAME` for a first one");
  }
  const { config, text, warnings } = readConfigFile(flags.config, flags);
  const standIn =
    flags.out === undefined ? basename(flags.config, extname(flags.config)) : basename(resolve(flags.out));
  printDiagnostics(invocation, warnings);
  return writeFromConfig(invocation, { config, text, source: flags.config, standIn });
};

export interface FromConfig {
  readonly config: Config;
  readonly text: string;
  /** File name for messages about the name. */
  readonly source: string;
  /** The name when the config has none. */
  readonly standIn: string;
}

export async function writeFromConfig(
  invocation: Invocation,
  { config, text, source, standIn }: FromConfig,
): Promise<number> {
  const { flags, io } = invocation;
  const rendering = io.rendering ?? { loadTemplate, render: renderTargets };
  const template = rendering.loadTemplate();
  const name = projectName(config, standIn, source, template);
  const shownAs = flags.out ?? `./${name}`;
  const folder = resolve(shownAs);
  const writesNothing = flags.dryRun || flags.diff;
  if (!writesNothing) recoverProject(folder, shownAs);
  const target = await inspectFolder(folder, shownAs);
  const model = buildModel(config, { name, text });
  const plan = buildPlan(model, template, rendering.render);
  const lock = target.kind === "project" ? target.lock : null;
  for (const path of [...plan.files.map((file) => file.path), ...Object.keys(lock?.files ?? {})])
    guardPath(folder, path, shownAs);
  const comparison = comparePlan(plan, folder, lock, shownAs);
  const before = lock === null ? null : modelOfBefore(folder, template);
  const changes = before === null ? [] : dataChanges(before, model, folder, shownAs);
  printDiagnostics(invocation, [...changes, ...comparison.warnings]);
  if (!writesNothing) await writeProject(target, comparison.writes, { shownAs });
  io.out(
    flags.json ? summaryJson(shownAs, comparison) : summaryText(shownAs, comparison, flags, target.kind === "project"),
  );
  return 0;
}

/** What the project was last written from; null when that can no longer be read. */
function modelOfBefore(folder: string, template: Template): Model | null {
  const path = join(folder, BASE_FOLDER, CONFIG_PATH);
  try {
    const { config, text } = readConfig(readFileSync(path), path);
    const { name = "" } = JSON.parse(readFileSync(join(folder, BASE_FOLDER, "package.json"), "utf8"));
    return buildModel(config, { name: projectName(config, name, path, template), text });
  } catch {
    return null;
  }
}

/** `project.name`, else what stands in for it; in kebab-case. */
function projectName(config: Config, standIn: string, source: string, template: Template): string {
  const given = config.project.name ?? standIn;
  // Marks of letters are left out rather than the letters.
  const name = namesOf(given.normalize("NFKD").replace(/\p{Mark}/gu, "")).kebab;
  const hint = "set project.name in the config";
  if (name === "" || name.length > 64) {
    throw refusal(
      "bad-name",
      source,
      "a name of 1 to 64 letters and digits for the project",
      JSON.stringify(given),
      hint,
    );
  }
  const { dependencies = {}, devDependencies = {} } = template.packageJson;
  if (Object.hasOwn(dependencies, name) || Object.hasOwn(devDependencies, name)) {
    throw refusal("reserved-name", source, "a name none of the project's dependencies has", JSON.stringify(name), hint);
  }
  return name;
}

const counted = (changes: readonly Change[], kind: Change["kind"]): string[] =>
  changes.filter((change) => change.kind === kind).map((change) => change.path);

function summaryJson(folder: string, { changes }: Comparison): string {
  const kinds = ["create", "rewrite", "delete", "keep", "unchanged"] as const;
  return `${JSON.stringify({ folder, ...Object.fromEntries(kinds.map((kind) => [kind, counted(changes, kind)])) })}\n`;
}

function summaryText(
  folder: string,
  { changes, writes }: Comparison,
  flags: Invocation["flags"],
  exists: boolean,
): string {
  const changing = changes.filter(({ kind }) => kind === "create" || kind === "rewrite" || kind === "delete");
  if (flags.diff) return changing.map(({ path, before, after }) => unifiedDiff(path, before, after)).join("");
  if (flags.dryRun) {
    return [...changes.map(({ kind, path }) => `${kind.padEnd(9)} ${path}\n`), `nothing written to ${folder}\n`].join(
      "",
    );
  }
  const counts = (["create", "rewrite", "delete", "keep", "unchanged"] as const)
    .map((kind) => [kind, counted(changes, kind).length] as const)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${PAST[kind]}`);
  const result = `${folder}: ${counts.join(", ")}${exists && writes.length === 0 ? " (nothing to do)" : ""}\n`;
  return exists ? result : `${result}Next: cd ${shellWord(folder)} && make run\n`;
}

/** A word a shell reads as it is. */
const shellWord = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const PAST = {
  create: "created",
  rewrite: "rewritten",
  delete: "removed",
  keep: "kept",
  unchanged: "unchanged",
} as const;
