/**
 * The wiring: container.ts takes in container.generated.ts, and from there every saga, local handler and entity of the
 * config can be reached by imports, and every participant is named.
 */
import { buildModel } from "../build-model.js";
import type { Model } from "../model.js";
import type { Config } from "../spec/schema.js";
import { aliasesOf } from "./layers.js";
import type { Project } from "./project.js";
import { resolveSpecifier, sourceAt } from "./resolve.js";

const CONTAINER = "src/infrastructure/container/container.ts";
const GENERATED = "src/infrastructure/container/container.generated.ts";

export function checkWiring(project: Project, config: Config | null): void {
  const { lock, report, sources } = project;
  // A project without it is one whose files are missing; that is said once, by the files.
  if (!Object.hasOwn(lock.files, GENERATED) || !sources.has(GENERATED)) return;
  const container = sources.get(CONTAINER);
  if (container !== undefined && !targetsOf(project, CONTAINER).includes(GENERATED)) {
    const hint = `import from "./container.generated.js" and pass your bindings to it`;
    const got = "none, so that nothing the config asks for is built";
    report({ code: "bad-wiring", path: CONTAINER, expected: `an import of ${GENERATED}`, got, hint });
  }
  if (config === null) return;
  const reached = reachable(project, GENERATED);
  const missing = (what: string): void => {
    const hint = "clean-arch-generator --config clean-arch.yaml --out .";
    report({
      code: "bad-wiring",
      path: GENERATED,
      expected: `${what}, reachable by imports`,
      got: "no import that leads to it",
      hint,
    });
  };
  const model = buildModel(config, { name: "project", text: "" });
  for (const path of expectedFiles(model)) if (!reached.has(path)) missing(path);
  for (const { name } of model.entities) {
    const named = [...reached].some((path) =>
      path.split("/").some((part) => part === name.kebab || part.startsWith(`${name.kebab}.`)),
    );
    if (!named) missing(`the entity ${name.pascal}`);
  }
  const texts = [...reached].map((path) => sources.get(path)?.text ?? "").join("\n");
  for (const { name, used } of model.services)
    if (used && !texts.includes(name.raw)) missing(`the service ${name.raw}`);
}

const expectedFiles = ({ sagas, services }: Model): string[] => [
  ...sagas.map(({ name }) => `src/application/sagas/${name.kebab}.saga.generated.ts`),
  ...services.flatMap(({ name, handlers }) =>
    handlers.map((handler) => `src/application/handlers/${name.kebab}/${handler.name.kebab}.ts`),
  ),
];

function targetsOf(project: Project, from: string): string[] {
  const aliases = aliasesOf(project);
  return (project.sources.get(from)?.imports ?? []).flatMap(({ specifier }) => {
    const target = resolveSpecifier(from, specifier, aliases);
    const path = target.kind === "file" ? sourceAt(target.path, (one) => project.sources.has(one)) : null;
    return path === null ? [] : [path];
  });
}

function reachable(project: Project, from: string): Set<string> {
  const reached = new Set<string>([from]);
  for (const path of reached) for (const target of targetsOf(project, path)) reached.add(target);
  return reached;
}
