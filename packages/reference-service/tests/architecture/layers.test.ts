/**
 * Who may import whom: the domain nothing, the application the domain, infrastructure and interfaces the application, and
 * only the container and main know all. Imports of types count.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** What each layer may import: folders of src, and packages. */
const LAYERS: Readonly<Record<string, { readonly folders: readonly string[]; readonly packages: RegExp }>> = {
  domain: { folders: ["domain"], packages: /^$/ },
  application: { folders: ["application", "domain"], packages: /^@clean-arch\/runtime$/ },
  infrastructure: { folders: ["infrastructure", "application", "domain"], packages: /./ },
  interfaces: { folders: ["interfaces", "application"], packages: /^(?!@clean-arch\/)/ },
};

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((file) => file.split(sep).join("/"))
  .filter((file) => file.endsWith(".ts"));

const IMPORT = /\b(?:from\s*|import\s*\(?\s*|require\(\s*)["']([^"']+)["']/g;

function violationsOf(file: string, text: string): string[] {
  const layer = LAYERS[file.split("/")[0] ?? ""];
  if (layer === undefined || file.startsWith("infrastructure/container/")) return [];
  return [...text.matchAll(IMPORT)].flatMap(([, specifier = ""]) => {
    if (!specifier.startsWith(".")) return layer.packages.test(specifier) ? [] : [`${file} imports ${specifier}`];
    const target = posix.join(dirname(file), specifier);
    const allowed =
      layer.folders.includes(target.split("/")[0] ?? "") && !target.startsWith("infrastructure/container/");
    return allowed ? [] : [`${file} imports ${relative(".", target)}`];
  });
}

describe("the layers", () => {
  it("import only what they may", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => violationsOf(file, readFileSync(join(source, file), "utf8")))).toEqual([]);
  });

  it.each([
    ["domain/order/order.ts", 'import { x } from "../../infrastructure/logging/logger.js";'],
    ["domain/order/order.ts", 'import type { Kysely } from "kysely";'],
    ["domain/order/order.ts", 'import "node:fs";'],
    ["application/ports/orders.ts", 'export type { Logger } from "../../infrastructure/logging/logger.js";'],
    ["application/sagas/order.ts", 'const fastify = await import("fastify");'],
    ["interfaces/http/orders.ts", 'import { Order } from "../../domain/order/order.js";'],
    ["interfaces/http/orders.ts", 'import { saga } from "@clean-arch/runtime";'],
    ["infrastructure/session/saga.ts", 'import { buildServer } from "../../interfaces/http/server.js";'],
    ["infrastructure/config/load.ts", 'import { wire } from "../container/container.generated.js";'],
  ])("would refuse in %s: %s", (file, text) => expect(violationsOf(file, text)).toHaveLength(1));
});
