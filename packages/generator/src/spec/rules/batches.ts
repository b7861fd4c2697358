/** Batches: one source of items, conditions that fit the entity's fields, and stages that each item can go through. */
import { shown } from "../../diagnostics.js";
import { nearestName } from "../../naming.js";
import { isWritten, type Path } from "../node.js";
import type { FieldConfig } from "../schema.js";
import { type Loose, type LooseTask, present, type RuleInput } from "./rule.js";
import { checkDeclared, checkEndpoint } from "./stages.js";

type Report = RuleInput["report"];
type Source = NonNullable<LooseTask["source"]>;
type LooseField = Loose<FieldConfig>;

const MAX_CHUNKS = 1_000;
const SOURCES = ["entity", "service", "file", "items"] as const;
/** Keys of a source, each with what it stands beside. */
const BESIDE = [
  ["where", ["entity"]],
  ["endpoint", ["service"]],
  ["format", ["file"]],
  ["key", ["service", "items", "file"]],
] as const;

export function checkBatch(task: LooseTask, path: Path, input: RuleInput): void {
  const { report } = input;
  checkItemStages(task, path, report);
  if ((task.concurrency ?? 1) > MAX_CHUNKS) {
    const [expected, got] = [`at most ${MAX_CHUNKS} chunks at once`, String(task.concurrency)];
    report({ code: "out-of-range", path: [...path, "concurrency"], expected, got });
  }
  if (task.source !== undefined) return checkSource(task.source, [...path, "source"], input);
  const expected = "the key `source` of a batch";
  const hint = `one of ${SOURCES.join(", ")}`;
  report({ code: "missing-key", path: [...path, "source"], expected, got: "nothing", hint });
}

function checkSource(source: Source, path: Path, { config, root, report }: RuleInput): void {
  const kinds = SOURCES.filter((kind) => source[kind] !== undefined);
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? "none of them" : kinds.join(" and ");
    report({ code: "wrong-value", path, expected: `one of ${SOURCES.join(", ")}`, got });
  }
  for (const [key, owners] of BESIDE) {
    if (source[key] === undefined || owners.some((owner) => source[owner] !== undefined)) continue;
    const expected = `\`${key}\` beside ${owners.join(", ")}`;
    report({ code: "misplaced-key", path: [...path, key], at: "key", expected, got: `no ${owners.join(", ")}` });
  }
  if (source.service !== undefined && source.endpoint === undefined)
    report({ code: "missing-key", path: [...path, "endpoint"], expected: "the key `endpoint`", got: "nothing" });
  if (source.service !== undefined) checkDeclared(source.service, [...path, "service"], config, report);
  checkEndpoint(source.endpoint, [...path, "endpoint"], report);
  if (source.file !== undefined && /\p{Cc}/u.test(source.file))
    report({ code: "wrong-value", path: [...path, "file"], expected: "a path of a file", got: shown(source.file) });
  const entities = present(config.domain?.entities).map(({ item }) => item);
  const entity = entities.find(({ name }) => name === source.entity);
  if (source.where !== undefined) checkWhere(source.where, entity?.fields, [...path, "where"], report);
  if (source.entity === undefined || entity !== undefined) return;
  const nearest = nearestName(
    source.entity,
    entities.flatMap(({ name }) => name ?? []),
  );
  // As with services: what no block could declare is a thing to come, not a mistake.
  const severity = isWritten(root, ["domain"]) ? "error" : "warning";
  const hint = nearest !== null ? `did you mean ${nearest}` : "add it to `domain.entities`";
  const expected = "an entity of this domain";
  report({ code: "unknown-entity", severity, path: [...path, "entity"], expected, got: shown(source.entity), hint });
}

function checkWhere(
  where: unknown,
  fields: readonly (LooseField | undefined)[] | undefined,
  path: Path,
  report: Report,
): void {
  if (where === null || typeof where !== "object" || Array.isArray(where)) {
    report({ code: "wrong-type", path, expected: "a mapping of fields to values", got: shown(where) });
    return;
  }
  if (fields === undefined) return;
  const byName = new Map(present(fields).map(({ item }) => [item.name, item]));
  for (const [name, value] of Object.entries(where)) {
    const field = byName.get(name);
    if (field === undefined) {
      const nearest = nearestName(
        name,
        [...byName.keys()].flatMap((each) => each ?? []),
      );
      const hint = nearest === null ? {} : { hint: `did you mean ${nearest}` };
      const expected = "a field of the entity";
      report({ code: "unknown-field", path: [...path, name], at: "key", expected, got: shown(name), ...hint });
      continue;
    }
    const expected = valueExpected(field, value);
    if (expected !== null) report({ code: "wrong-value", path: [...path, name], expected, got: shown(value) });
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DIGITS = /^-?[0-9]{1,19}$/;

/** What a field can be equal to; null when the value is that. */
function valueExpected(field: LooseField, value: unknown): string | null {
  if (value === null) return field.required === true ? "a value, since the field is required" : null;
  switch (field.type) {
    case "string":
    case "text":
      return typeof value === "string" ? null : "text";
    case "integer":
      return Number.isSafeInteger(value) ? null : "a whole number";
    case "bigint":
      return Number.isSafeInteger(value) || (typeof value === "string" && DIGITS.test(value)) ? null : "a whole number";
    case "boolean":
      return typeof value === "boolean" ? null : "true or false";
    case "uuid":
    case "reference":
      return typeof value === "string" && UUID.test(value) ? null : "a uuid";
    case "date":
      return typeof value === "string" && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)
        ? null
        : 'a date such as "2026-01-31"';
    case "enum":
      return (field.values ?? [value]).includes(value as string) ? null : `one of ${(field.values ?? []).join(", ")}`;
    case undefined:
      return null;
    default:
      return `a field of another type than ${field.type}, which has several spellings of one value`;
  }
}

const NOT_OF_ITEMS = {
  parallel: "a group",
  map: "a list",
  sleep: "a timer",
  wait_for: "a wait for a signal",
  saga: "another saga",
  pivot: "a pivot",
  heartbeat: "heartbeats",
} as const;

/** An item goes through calls, one after the other; what else there is belongs to a workflow. */
function checkItemStages(task: LooseTask, path: Path, report: Report): void {
  for (const { item: stage, i } of present(task.stages)) {
    for (const key of Object.keys(NOT_OF_ITEMS) as (keyof typeof NOT_OF_ITEMS)[]) {
      if (stage[key] === undefined || stage[key] === false) continue;
      const expected = "a call of a service in a batch";
      const hint = "use a workflow, or do it in the service";
      const where = [...path, "stages", i, key];
      report({ code: "misplaced-key", path: where, at: "key", expected, got: NOT_OF_ITEMS[key], hint });
    }
  }
}
