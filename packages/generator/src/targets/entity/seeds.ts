/** The seed command, and what it can make up. */
import type { EntityModel, FieldModel } from "../../model.js";
import type { Template } from "../../template.js";
import type { TargetFile } from "../target-file.js";
import { maxLengthOf } from "./field-limits.js";
import { type PatternSample, variedSampleOf } from "./pattern-sample.js";
import { code, HEADER, importOf, json, print, type Source } from "./source.js";

const FOLDER = "src/infrastructure/seeding";

/** As they are in the reference service. */
const COPIES = [
  "src/infrastructure/persistence/fill-table.ts",
  "src/infrastructure/persistence/filling.ts",
  `${FOLDER}/seed-command.ts`,
  `${FOLDER}/sample-values.ts`,
  `${FOLDER}/seed-entity.ts`,
  "src/seed.ts",
  "tests/integration/seeding.test.ts",
];

/** Those with a use case to create one, whose required fields can be made up, and of which there can be many. */
export function seededOf(entities: readonly EntityModel[]): EntityModel[] {
  const seeded: EntityModel[] = [];
  for (const entity of entities) {
    const isMadeUp = entity.fields.every((field) => {
      if (!field.required || field.default !== undefined) return true;
      if (field.reference !== null) return seeded.some(({ name }) => name.pascal === field.reference?.entity.pascal);
      return field.pattern === null || sampleOfField(entity, field) !== null;
    });
    const isMany = uniquesOf(entity).every((names) =>
      entity.fields.some((field) => names.includes(field.name.snake) && isManifold(entity, field)),
    );
    if (entity.useCases.includes("create") && isMadeUp && isMany) seeded.push(entity);
  }
  return seeded;
}

const uniquesOf = ({ fields, indexes }: EntityModel): (readonly string[])[] => [
  ...fields.filter(({ unique }) => unique).map(({ name }) => [name.snake]),
  ...indexes.filter(({ unique }) => unique).map((index) => index.fields),
];

/** That there are more of its values than anybody counts. */
function isManifold(entity: EntityModel, field: FieldModel): boolean {
  const { type, min, max } = field;
  if (type === "boolean" || type === "enum") return false;
  if (field.pattern !== null) return (sampleOfField(entity, field)?.varies.length ?? 0) > 3;
  if (type === "string" || type === "text") return (field.maxLength ?? 100) > 3;
  return min === null || max === null || Number(max) - Number(min) > 10_000;
}

export function seedFiles(entities: readonly EntityModel[], { files }: Template): TargetFile[] {
  const seeded = seededOf(entities);
  if (seeded.length === 0) return [];
  return [
    ...COPIES.map((path): TargetFile => {
      const content = files.get(path);
      if (content === undefined) throw new Error(`the template lacks ${path}`);
      return { path, owner: "merged", content };
    }),
    { path: `${FOLDER}/seeded-entities.generated.ts`, owner: "generated", content: seededEntitiesFile(seeded) },
  ];
}

function seededEntitiesFile(entities: readonly EntityModel[]): string {
  const imports = [
    'import type { Dependencies } from "../../application/dependencies.js";\n',
    'import type { Repositories } from "../../application/use-cases/use-cases.generated.js";\n',
    ...entities.map(({ name: { camel, kebab } }) =>
      importOf(
        [`${camel}Fields`, `${camel}UseCases`],
        `../../application/use-cases/${kebab}/${kebab}-use-cases.generated.js`,
      ),
    ),
    ...entities.map(({ name: { camel, kebab } }) =>
      importOf([`${camel}Table`], `../persistence/${kebab}-table.generated.js`),
    ),
  ].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return `${HEADER}${imports.join("")}import type { SeededEntity } from "./seed-entity.js";

/** What the seed command can make up. */
export function seededEntities(
  repositories: Repositories,
  shared: Omit<Dependencies<never>, "repository">,
): readonly SeededEntity[] {
  return [
${entities.map((entity) => `    ${print(seededEntity(entity), "", ",", 4)}\n`).join("")}  ];
}
`;
}

const pathOf = (line: string): string => line.slice(line.indexOf(' from "') + 7);

function seededEntity(entity: EntityModel): Source {
  const { camel, snake } = entity.name;
  const repository = `repositories.${camel}`;
  const create = `${camel}UseCases({ repository: { ...${repository}, insert }, ...shared }).create`;
  const line = `creates: (insert) => ${create},`;
  return {
    open: true,
    entries: [
      ["name", json(snake)],
      ["table", code(`${camel}Table`)],
      ["fields", code(`${camel}Fields`)],
      ["samples", { entries: samplesOf(entity) }],
      ["repository", code(repository)],
      ["creates", code(line.length + 6 <= 120 ? `(insert) => ${create}` : `(insert) =>\n        ${create}`)],
    ],
  };
}

function samplesOf(entity: EntityModel): [string, Source][] {
  return entity.fields.flatMap((field): [string, Source][] => {
    const sample = sampleOfField(entity, field);
    return sample === null ? [] : [[field.name.camel, json({ ...sample })]];
  });
}

function sampleOfField(entity: EntityModel, field: FieldModel): PatternSample | null {
  if (field.pattern === null) return null;
  const [least, most] = [field.minLength ?? 0, maxLengthOf(entity, field) ?? 1_000];
  return variedSampleOf(field.pattern, (text) => [...text].length >= least && [...text].length <= most);
}
