/**
 * The layers: domain imports nothing; application imports domain and the runtime's definitions; infrastructure implements
 * application's ports; interfaces use application only; main and the container know all. Contexts (folders of the
 * domain) do not import each other. Imports of types count: a layer that names a type depends on it.
 */
import type { Check, Project } from "./project.js";
import { type Aliases, resolveSpecifier, type Target } from "./resolve.js";

type Layer = "domain" | "application" | "infrastructure" | "interfaces" | "container" | "main" | "other";

const RUNTIME = "@clean-arch/runtime";

interface Rule {
  readonly layers: readonly Layer[];
  /** Packages and builtins: all, none, or these specifiers. */
  readonly packages: "all" | readonly string[];
  readonly expected: string;
  readonly hint: string;
}

const RULES: Readonly<Partial<Record<Layer, Rule>>> = {
  domain: {
    layers: ["domain"],
    packages: [],
    expected: "an import from the domain itself",
    hint: "move what needs it to application or infrastructure, or declare what the domain needs as a type of its own",
  },
  application: {
    layers: ["domain", "application"],
    packages: [RUNTIME],
    expected: `an import from domain, application or ${RUNTIME}`,
    hint: "declare a port in src/application/ports, implement it in src/infrastructure, and pass it in",
  },
  infrastructure: {
    layers: ["domain", "application", "infrastructure", "container"],
    packages: "all",
    expected: "an import from domain, application or infrastructure",
    hint: "infrastructure implements ports of the application; let interfaces call those",
  },
  interfaces: {
    layers: ["application", "interfaces"],
    packages: "all",
    expected: "an import from application or interfaces",
    hint: "let a use case of the application hand out what the interface needs",
  },
};

function layerOf(path: string): Layer {
  const [root, first, second] = path.split("/");
  if (root !== "src" || first === undefined) return "other";
  if (second === undefined) return "main";
  if (first === "infrastructure" && second === "container") return "container";
  const layers: readonly string[] = ["domain", "application", "infrastructure", "interfaces"];
  return layers.includes(first) ? (first as Layer) : "other";
}

export const checkLayers: Check = (project) => {
  const aliases = aliasesOf(project);
  for (const [path, { imports }] of project.sources) {
    const rule = RULES[layerOf(path)];
    if (rule === undefined) continue;
    for (const { specifier, line, column } of imports) {
      const target = resolveSpecifier(path, specifier, aliases);
      const got = violation(path, rule, target);
      if (got === null) continue;
      const { expected, hint } = rule;
      project.report({
        code: "layer-violation",
        path,
        line,
        column,
        expected,
        got: `${JSON.stringify(specifier)} (${got})`,
        hint,
      });
    }
  }
};

/** What is wrong, null when nothing is. */
function violation(from: string, rule: Rule, target: Target): string | null {
  if (target.kind === "outside") return "a path out of the project";
  if (target.kind === "builtin") return rule.packages === "all" ? null : "a module of Node";
  if (target.kind === "package") {
    return rule.packages === "all" || rule.packages.includes(target.specifier) ? null : "a package";
  }
  const layer = layerOf(target.path);
  if (!rule.layers.includes(layer)) return layer === "other" ? "outside the layers" : `from ${layer}`;
  const [own, other] = [contextOf(from), contextOf(target.path)];
  const shared = other === null || other === "shared";
  return own !== null && !shared && own !== other ? `from the context ${other}` : null;
}

/** The folder of the domain a file is in; null directly in the domain and elsewhere. */
function contextOf(path: string): string | null {
  const [, layer, context, file] = path.split("/");
  return layer === "domain" && file !== undefined ? (context ?? null) : null;
}

export function aliasesOf({ read }: Pick<Project, "read">): Aliases {
  try {
    const manifest = JSON.parse(new TextDecoder().decode(read("package.json") ?? new Uint8Array())) as {
      imports?: Aliases;
    };
    return manifest.imports ?? {};
  } catch {
    return {};
  }
}
