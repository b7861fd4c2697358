import { parseDurationMs } from "../duration.js";
import type {
  ActionStep,
  CompensationDefinition,
  Expression,
  ExpressionScope,
  RetryPolicy,
  ServiceCall,
  StepDefinition,
} from "./definition.js";
import { embedded, functionExpression, inputExpression, jsonataExpression, listExpression } from "./expression.js";
import type {
  ChildOptions,
  Condition,
  ElsewhereStep,
  InputTemplate,
  LocalStep,
  MapOptions,
  RetryOptions,
  ServiceCompensation,
  ServiceStep,
  SleepOptions,
  StepOptions,
  WaitOptions,
} from "./step-options.js";

/**
 * From what the builder's methods take to definitions. The methods' signatures carry the types of inputs and outputs;
 * here they have served. Errors: `definition-invalid` for a bad duration or expression, naming it.
 */

// biome-ignore lint/suspicious/noExplicitAny: see above.
type Any = any;
/** Calls of a map have an item, which those of the definition's other steps lack. */
interface LooseMap extends StepOptions, MapOptions {
  readonly when?: Condition<Any, Any>;
  readonly over: ((scope: Any) => unknown) | string;
  readonly input?: Mapping;
  readonly compensate?: ServiceCompensation | ((call: Any) => unknown);
}
export type AnyMap = LooseMap & (ServiceCall | { readonly run: (call: Any) => unknown });
type Mapping = ((scope: Any) => unknown) | string | InputTemplate;
export type AnyStep = ServiceStep<Any, Any> | LocalStep<Any, Any, Any, Any, Any>;

export function actionStep(name: string, step: AnyStep | ElsewhereStep): ActionStep {
  if ("performed" in step) return elsewhereStep(name, step.compensates);
  const { input } = step;
  return {
    ...{ name, kind: "action", action: "run" in step ? { run: step.run } : serviceCall(step) },
    ...actOptions(name, step),
    ...condition(name, step),
    ...mapping(name, input),
    compensation: compensation(name, step),
  };
}

export function elsewhereStep(name: string, compensates = true): ActionStep {
  const run = (): never => {
    throw new Error(`expected step "${name}" to be performed elsewhere, got a call of it here`);
  };
  const act = { action: { run }, timeoutMs: null, retry: {} };
  return { name, kind: "action", ...act, compensation: compensates ? act : null, isElsewhere: true };
}

export function sleepStep(name: string, step: SleepOptions<Any, Any>): StepDefinition {
  return { name, kind: "sleep", duration: durationOf(step.for, `${name}.for`), ...condition(name, step) };
}

export function waitStep(name: string, step: WaitOptions<Any, Any>): StepDefinition {
  const { signal = name, timeout, onTimeout = "fail" } = step;
  const timeoutMs = timeout === undefined ? null : parseDurationMs(timeout, `${name}.timeout`);
  return { name, kind: "wait", signal, timeoutMs, onTimeout, ...condition(name, step) };
}

export function childStep(name: string, { saga, input, when }: ChildOptions<Any, Any>): StepDefinition {
  const child = typeof saga === "string" ? saga : saga.name;
  return { name, kind: "child", saga: child, ...mapping(name, input), ...condition(name, { when }) };
}

export const DEFAULT_MAX_ITEMS = 1_000;

export function mapStep(name: string, step: AnyMap): StepDefinition {
  const { over, concurrency = 1, maxItems = DEFAULT_MAX_ITEMS } = step;
  const key = `${name}.over`;
  return {
    ...{ name, kind: "map", concurrency, maxItems },
    over: typeof over === "function" ? computed(over, key) : listExpression(over, key),
    action: "run" in step ? { run: step.run } : serviceCall(step),
    ...actOptions(name, step),
    ...condition(name, step),
    ...mapping(name, step.input),
    compensation: compensation(name, step),
  };
}

/** Of a sleep: a duration, `${ expression }`, or a function. */
function durationOf(time: SleepOptions<Any, Any>["for"], key: string): number | Expression {
  if (typeof time === "function") return computed(time, key);
  // A number of seconds has no expression in it, and what is no duration is refused as one.
  const source = typeof time === "string" ? embedded(time, key) : null;
  return source === null ? parseDurationMs(time, key) : jsonataExpression(source, key);
}

function mapping(name: string, input: Mapping | undefined): { input?: Expression } {
  if (input === undefined) return {};
  const key = `${name}.input`;
  return { input: typeof input === "function" ? computed(input, key) : inputExpression(input, key) };
}

function condition(name: string, { when }: { readonly when?: Condition<Any, Any> | undefined }): { when?: Expression } {
  if (when === undefined) return {};
  const key = `${name}.when`;
  return { when: typeof when === "function" ? computed(when, key) : jsonataExpression(when, key) };
}

function computed(compute: (scope: Any) => unknown, key: string): Expression {
  return functionExpression((scope: ExpressionScope) => compute(scope), key);
}

function compensation(
  name: string,
  step: { readonly compensate?: ServiceCompensation | ((call: Any) => unknown) },
): CompensationDefinition | null {
  if (step.compensate === undefined) return null;
  if (typeof step.compensate === "function") return { action: { run: step.compensate }, timeoutMs: null, retry: {} };
  return { action: serviceCall(step.compensate), ...actOptions(`${name}.compensate`, step.compensate) };
}

export function serviceCall({ service, endpoint, method, refusals }: ServiceCall): ServiceCall {
  return { service, endpoint, ...(method !== undefined && { method }), ...(refusals !== undefined && { refusals }) };
}

export function actOptions(key: string, { timeout, retry }: StepOptions): Pick<ActionStep, "timeoutMs" | "retry"> {
  return {
    timeoutMs: timeout === undefined ? null : parseDurationMs(timeout, `${key}.timeout`),
    retry: retryPolicy(key, retry ?? {}),
  };
}

export function retryPolicy(key: string, { initialDelay, maxDelay, ...rest }: RetryOptions): Partial<RetryPolicy> {
  return {
    ...rest,
    ...(initialDelay !== undefined && { initialDelayMs: parseDurationMs(initialDelay, `${key}.retry.initialDelay`) }),
    ...(maxDelay !== undefined && { maxDelayMs: parseDurationMs(maxDelay, `${key}.retry.maxDelay`) }),
  };
}
