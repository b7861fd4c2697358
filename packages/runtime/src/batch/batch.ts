import { parseDurationMs } from "../duration.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { actOptions, retryPolicy, serviceCall } from "../saga/declared-step.js";
import { defineSaga } from "../saga/define.js";
import type { BatchStage, BatchStep, BatchWork, SagaDefinition, SourceChoice } from "../saga/definition.js";
import { functionExpression, inputExpression, jsonataExpression } from "../saga/expression.js";
import type { BatchOptions, BatchStageOptions, BatchWorkOptions } from "./batch-options.js";

/** Name of the one step, and what an item's acts are called by: `items[<key>]/<stage>`. */
const STEP = "items";
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const MOST_IN_CHUNK = 100_000;
const MOST_AT_ONCE = 1_000;

// biome-ignore lint/suspicious/noExplicitAny: inside, an item is JSON of any shape; the types of what is declared were checked outside.
type Any = any;

/**
 * A batch: work for each item of a source, in chunks that several instances share. Its runs are started, watched and led as those of any
 * saga, and have the type `batch`. Its version is a fingerprint of its name, of what its source is, and of what an item goes through.
 * Error: `definition-invalid` (a number out of its range, a bad name, duration or expression, no work or two kinds of it).
 */
export function batch<Item extends Json = Json, Input extends Json = Json>(
  name: string,
  options: BatchOptions<Item, Input> & BatchWorkOptions<Item, Input>,
): SagaDefinition {
  const { description, timeout, attributes, checkInput } = options as BatchOptions<Any, Any>;
  return defineSaga({
    name,
    runType: "batch",
    waves: [{ steps: [stepOf(name, options)] }],
    pivotAfterWave: null,
    timeoutMs: timeout === undefined ? null : parseDurationMs(timeout, `${name}.timeout`),
    style: "orchestration",
    ...(description !== undefined && { description }),
    ...(attributes !== undefined && { attributes }),
    ...(checkInput !== undefined && { checkInput }),
  });
}

function stepOf(name: string, options: BatchOptions<Any, Any> & BatchWorkOptions<Any, Any>): BatchStep {
  const { source, chunkSize = 100, concurrency = 1, maxFailures = 0, maxFailureRatio = null } = options;
  const refuse = (expected: string, got: unknown): never => {
    throw new RuntimeError("definition-invalid", `batch "${name}": expected ${expected}, got ${String(got)}`, {
      batch: name,
    });
  };
  const isWhole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!isWhole(chunkSize, 1, MOST_IN_CHUNK)) refuse(`a chunkSize of 1 to ${MOST_IN_CHUNK}`, chunkSize);
  if (!isWhole(concurrency, 1, MOST_AT_ONCE)) refuse(`a concurrency of 1 to ${MOST_AT_ONCE}`, concurrency);
  if (maxFailures !== null && !isWhole(maxFailures, 0, Number.MAX_SAFE_INTEGER))
    refuse("maxFailures from 0 on, or null for any number", maxFailures);
  if (maxFailureRatio !== null && !(maxFailureRatio >= 0 && maxFailureRatio <= 1))
    refuse("a maxFailureRatio of 0 to 1, or null for any part", maxFailureRatio);
  return {
    ...{ kind: "batch", name: STEP, chunkSize, concurrency, maxFailures, maxFailureRatio },
    source: typeof source === "function" ? source : () => source,
    sourceKind: typeof source === "function" ? "computed" : kindOfSource(source, refuse),
    rateLimit: rateLimitOf(name, options, refuse),
    work: workOf(name, options, refuse),
    itemTimeoutMs: options.itemTimeout === undefined ? null : parseDurationMs(options.itemTimeout, `${name}.itemTimeout`),
    retry: retryPolicy(name, options.retry ?? {}),
  };
}

type Refuse = (expected: string, got: unknown) => never;

function kindOfSource(source: SourceChoice<Any>, refuse: Refuse): string {
  if ("read" in source) return source.description ?? "custom";
  if ("items" in source) return "items";
  if ("entity" in source) return `entity ${source.entity}`;
  if ("service" in source) return `${source.service} ${source.endpoint}`;
  if ("file" in source) return `file ${source.format ?? "lines"}`;
  return refuse("a source with one of items, entity, service and endpoint, file, read", JSON.stringify(source));
}

function rateLimitOf(name: string, { rateLimit }: BatchOptions<Any, Any>, refuse: Refuse): BatchStep["rateLimit"] {
  if (rateLimit === undefined) return null;
  const { max } = rateLimit;
  const windowMs = parseDurationMs(rateLimit.window, `${name}.rateLimit.window`);
  if (!Number.isInteger(max) || max < 1 || windowMs <= 0)
    refuse("a rateLimit with max from 1 on and a window above 0", `${max} in ${windowMs} ms`);
  return { max, windowMs };
}

function workOf(name: string, options: BatchWorkOptions<Any, Any>, refuse: Refuse): BatchWork {
  const kinds = ["stages", "each", "chunk"].filter((kind) => Reflect.get(options, kind) !== undefined);
  if (kinds.length !== 1) refuse("exactly one of stages, each and chunk", kinds.join(" and ") || "none");
  if ("each" in options) return { kind: "each", run: options.each };
  if ("chunk" in options) return { kind: "chunk", run: options.chunk };
  const stages = options.stages.map((stage) => stageOf(name, stage));
  const seen = new Set<string>();
  for (const { name: stage } of stages) {
    if (!NAME.test(stage)) refuse(`stage names of letters, digits, "_", "-" or ".", starting with a letter`, stage);
    if (seen.has(stage)) refuse("each stage name once", `"${stage}" twice`);
    seen.add(stage);
  }
  if (stages.length === 0) refuse("at least one stage", "none");
  return { kind: "stages", stages };
}

function stageOf(batch: string, stage: BatchStageOptions<Any, Any>): BatchStage {
  const { name, when, input, compensate } = stage;
  const key = `${batch}.${name}`;
  return {
    name,
    call: serviceCall(stage),
    ...actOptions(key, stage),
    ...(when !== undefined && {
      when: typeof when === "function" ? functionExpression(when as Any, `${key}.when`) : jsonataExpression(when, `${key}.when`),
    }),
    ...(input !== undefined && {
      input:
        typeof input === "function" ? functionExpression(input as Any, `${key}.input`) : inputExpression(input, `${key}.input`),
    }),
    compensation:
      compensate === undefined ? null : { call: serviceCall(compensate), ...actOptions(`${key}.compensate`, compensate) },
  };
}
