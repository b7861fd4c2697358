/** What npm reads: package.json, the shipped lock file, .npmrc, and the runtime's tarball. */
import type { JsonValue, Model } from "../../model.js";
import type { PackageLock, Template } from "../../template.js";
import { seededOf } from "../entity/seeds.js";
import type { TargetFile } from "../target-file.js";

const RUNTIME = "@clean-arch/runtime";

export function manifestFiles(model: Model, template: Template): TargetFile[] {
  const manifest = packageJson(model, template);
  const { runtime, packageLock } = template;
  const lock = packageLock === null ? [] : [lockFile(model, template, packageLock, manifest)];
  return [
    { path: "package.json", owner: "merged", content: jsonText(manifest) },
    ...lock,
    { path: ".npmrc", owner: "merged", content: "omit-lockfile-registry-resolved=true\nfund=false\naudit=false\n" },
    { path: `vendor/${runtime.fileName}`, owner: "generated", content: runtime.bytes },
  ];
}

const jsonText = (value: JsonValue): string => `${JSON.stringify(value, null, 2)}\n`;

const sorted = (record: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

const vendored = ({ runtime }: Template): string => `file:vendor/${runtime.fileName}`;

type Manifest = { readonly [key: string]: JsonValue };

function packageJson({ project, entities }: Model, template: Template): Manifest {
  const { dependencies = {}, devDependencies = {}, engines, overrides } = template.packageJson;
  return {
    name: project.name.kebab,
    version: project.version,
    private: true,
    description: project.description,
    license: project.license,
    ...(project.author === null ? {} : { author: project.author }),
    type: "module",
    engines: engines ?? { node: ">=20.19" },
    scripts: {
      build: "tsc -p tsconfig.build.json",
      start: "node dist/main.js",
      test: "vitest run",
      types: "tsc --noEmit",
      "migrate:up": "node dist/migrate.js up",
      "migrate:down": "node dist/migrate.js down",
      ...(seededOf(entities).length === 0 ? {} : { seed: "node dist/seed.js" }),
    },
    dependencies: sorted({ ...dependencies, [RUNTIME]: vendored(template) }),
    devDependencies: sorted(devDependencies),
    ...(overrides === undefined ? {} : { overrides }),
  };
}

/**
 * The stored lock of a project of the reference service, with this project's name and this runtime's tarball. npm takes
 * it as long as the dependencies are the same, which is why they come from the same place.
 */
function lockFile(model: Model, template: Template, stored: PackageLock, manifest: Manifest): TargetFile {
  const { name, version, license, dependencies = {}, devDependencies = {}, engines = {} } = manifest;
  const key = `node_modules/${RUNTIME}`;
  const root = {
    name,
    version,
    license,
    dependencies,
    ...(Object.keys(devDependencies as object).length === 0 ? {} : { devDependencies }),
    engines,
  } as { [key: string]: JsonValue };
  const runtime = {
    ...stored.packages[key],
    version: template.runtime.version,
    resolved: vendored(template),
    integrity: template.runtime.integrity,
  };
  const content = jsonText({
    ...stored,
    name: model.project.name.kebab,
    version: model.project.version,
    packages: { ...stored.packages, "": root, [key]: runtime },
  });
  return { path: "package-lock.json", owner: "merged", content };
}
