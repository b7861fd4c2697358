/**
 * The dependencies: every file that is imported is there, every package is declared where it is needed, and what is
 * vendored is there.
 */
import { aliasesOf } from "./layers.js";
import type { Check, Project } from "./project.js";
import { resolveSpecifier, sourceAt } from "./resolve.js";

type Declared = Readonly<Record<string, string>>;

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Declared;
  readonly devDependencies?: Declared;
  readonly peerDependencies?: Declared;
  readonly optionalDependencies?: Declared;
}

export const checkDependencies: Check = (project) => {
  const { read, report, sources } = project;
  const bytes = read("package.json");
  if (bytes === null) return;
  const manifest = parseManifest(bytes);
  if (manifest === null) {
    report({
      code: "bad-settings",
      path: "package.json",
      expected: "a JSON object",
      got: "something else",
      hint: "restore it",
    });
    return;
  }
  const { dependencies = {}, devDependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
  const atRunTime = new Set([dependencies, peerDependencies, optionalDependencies].flatMap(Object.keys));
  const anywhere = new Set([...atRunTime, ...Object.keys(devDependencies)]);
  const aliases = aliasesOf(project);
  for (const [path, { imports }] of sources) {
    for (const { specifier, line, column, typeOnly } of imports) {
      const target = resolveSpecifier(path, specifier, aliases);
      if (target.kind === "file" && isMissing(target.path, project)) {
        const expected = `a file that ${JSON.stringify(specifier)} stands for`;
        const hint = `remove the import, or ${path} if nothing needs it any more`;
        report({ code: "missing-file", path, line, column, expected, got: "none", hint });
      }
      if (target.kind !== "package" || target.name === manifest.name) continue;
      const needed = path.startsWith("src/") && !typeOnly && !/\.(test|spec)\.[cm]?[jt]sx?$/.test(path);
      const types = `@types/${target.name.replace(/^@/, "").replace("/", "__")}`;
      const declared = (needed ? atRunTime : anywhere).has(target.name) || (typeOnly && anywhere.has(types));
      if (declared) continue;
      const where = needed ? "dependencies" : "dependencies or devDependencies";
      const got = needed && anywhere.has(target.name) ? "a development dependency only" : "no entry";
      const hint = `npm install ${needed ? "" : "--save-dev "}${target.name}`;
      report({
        code: "missing-dependency",
        path,
        line,
        column,
        expected: `${target.name} in ${where} of package.json`,
        got,
        hint,
      });
    }
  }
  checkVendored(project, { ...dependencies, ...devDependencies });
  checkPackageLock(project, manifest);
};

/** Not there, and not said to be missing for itself. */
const isMissing = (path: string, { sources, read, lock }: Project): boolean =>
  sourceAt(path, (one) => sources.has(one) || Object.hasOwn(lock.files, one) || read(one) !== null) === null;

function parseManifest(bytes: Uint8Array): Manifest | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function checkVendored({ read, report }: Project, declared: Declared): void {
  for (const [name, version] of Object.entries(declared)) {
    const path = /^file:(?:\.\/)?(.+\.tgz)$/.exec(version)?.[1];
    if (path === undefined || read(path) !== null) continue;
    const hint = "restore it from version control, or generate again";
    report({
      code: "missing-dependency",
      path: "package.json",
      key: name,
      expected: `the file ${path}`,
      got: "none",
      hint,
    });
  }
}

/** `npm ci` refuses a lock file that says something else than package.json. */
function checkPackageLock({ read, report }: Project, manifest: Manifest): void {
  const bytes = read("package-lock.json");
  if (bytes === null) return;
  const lock = parseManifest(bytes) as { packages?: Record<string, Manifest> } | null;
  const root = lock?.packages?.[""];
  for (const kind of ["dependencies", "devDependencies"] as const) {
    const [declared, locked] = [manifest[kind] ?? {}, root?.[kind] ?? {}];
    const names = new Set([...Object.keys(declared), ...Object.keys(locked)]);
    const different = [...names].filter((name) => declared[name] !== locked[name]).sort();
    for (const name of different) {
      const expected =
        declared[name] === undefined ? "no entry, as in package.json" : `${declared[name]}, as in package.json`;
      const got = locked[name] ?? "no entry";
      report({
        code: "missing-dependency",
        path: "package-lock.json",
        key: `${kind}.${name}`,
        expected,
        got,
        hint: "npm install",
      });
    }
  }
}
