/** What a specifier means, seen from the file that has it. */
import { builtinModules } from "node:module";
import { posix } from "node:path";

export type Target =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "package"; readonly name: string; readonly specifier: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "outside"; readonly path: string };

const BUILTIN = new Set(builtinModules);

/** `imports` of the project's package.json: `#name` -> path. */
export type Aliases = Readonly<Record<string, unknown>>;

export function resolveSpecifier(from: string, specifier: string, aliases: Aliases = {}): Target {
  const clean = specifier.replace(/[?#](?!$).*$/, (tail) => (specifier.startsWith("#") ? tail : ""));
  if (clean.startsWith("#")) {
    const target = aliasTarget(clean, aliases);
    return target === null ? { kind: "outside", path: clean } : fileAt(posix.normalize(target));
  }
  if (clean.startsWith("./") || clean.startsWith("../") || clean === "." || clean === "..") {
    return fileAt(posix.normalize(posix.join(posix.dirname(from), clean)));
  }
  if (clean.startsWith("/") || /^(file|https?|data):/.test(clean)) return { kind: "outside", path: clean };
  // A path from the project's root, which a baseUrl allows.
  if (/^(src|tests)\//.test(clean)) return fileAt(posix.normalize(clean));
  if (clean.startsWith("node:")) return { kind: "builtin", name: clean };
  const parts = clean.split("/");
  const name = clean.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? clean);
  return BUILTIN.has(name) ? { kind: "builtin", name } : { kind: "package", name, specifier: clean };
}

const fileAt = (path: string): Target => (path.startsWith("..") ? { kind: "outside", path } : { kind: "file", path });

function aliasTarget(specifier: string, aliases: Aliases): string | null {
  for (const [key, value] of Object.entries(aliases)) {
    if (typeof value !== "string" || !value.startsWith("./")) continue;
    if (key === specifier) return value;
    const [head = "", tail] = key.split("*");
    if (tail === undefined || !specifier.startsWith(head) || !specifier.endsWith(tail)) continue;
    return value.replace("*", specifier.slice(head.length, specifier.length - tail.length));
  }
  return null;
}

/** The file on disk a path of an import stands for: `x.js` is compiled from `x.ts`, a folder has an index. */
export function sourceAt(path: string, exists: (path: string) => boolean): string | null {
  const stem = path.replace(/\.([cm]?)js(x?)$/, ".$1ts$2");
  const candidates = [path, stem, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`];
  return candidates.find(exists) ?? null;
}
