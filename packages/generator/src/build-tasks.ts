/** The tasks of the model: each stage with its service's timeout and retries, each batch with its source. */
import { type ActionConfig, stagesOf } from "./build-services.js";
import type { JsonValue, RetryPolicy, ServiceModel } from "./model.js";
import { namesOf } from "./naming.js";
import { over, retryOf } from "./retry-policies.js";
import { withLeadingSlash } from "./spec/rules/urls.js";
import type { CompensationConfig, Config, TaskConfig } from "./spec/schema.js";
import type {
  BatchModel,
  BatchSource,
  CallModel,
  CompensationModel,
  QueueModel,
  RateModel,
  SagaModel,
  ScheduleModel,
  StageModel,
  WaveModel,
} from "./task-model.js";

const STAGE_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_ITEMS = 1_000;

export interface TaskContext {
  readonly config: Config;
  readonly recoveryRetry: RetryPolicy;
  readonly services: ReadonlyMap<string, ServiceModel>;
}

export const buildSagas = (tasks: readonly TaskConfig[], context: TaskContext): SagaModel[] =>
  tasks.map((task) => ({
    ...buildTask(task, context),
    waves: buildWaves(task, context),
    waitingCompensations: task.compensation
      .filter(({ stage }) => !stagesOf(task).some((one) => one.name === stage))
      .map((one) => buildCompensation(one, task, one.service ?? "", context)),
  }));

export const buildBatches = (tasks: readonly TaskConfig[], context: TaskContext): BatchModel[] =>
  tasks.map((task) => ({
    ...buildTask(task, context),
    source: buildSource(task, context),
    retry: over(context.recoveryRetry, task.retry),
    retryWritten: task.retry !== undefined,
    chunkSize: task.chunk_size ?? 100,
    concurrency: task.concurrency ?? 1,
    maxFailures: task.max_failures ?? (task.max_failure_ratio === undefined ? 0 : null),
    maxFailureRatio: task.max_failure_ratio ?? null,
    rateLimit: rateOf(task),
    stages: stagesOf(task).map((stage) => buildCall(stage, task, context)),
  }));

/** What tasks of both kinds have. */
function buildTask(task: TaskConfig, { config }: TaskContext) {
  return {
    name: namesOf(task.name),
    timeoutMs: task.timeout ?? config.session.saga.timeout,
    timeoutWritten: task.timeout !== undefined,
    startTimeoutMs: task.start_timeout ?? null,
    schedule: buildSchedule(task),
    queue: buildQueue(task),
  };
}

/** Of a batch these bound its items, and what is said of a queue is where its runs begin. */
function buildQueue(task: TaskConfig): QueueModel | null {
  const { type, queue: name = null, priority = null } = task;
  const ofRuns = type === "workflow";
  const model = {
    ...{ name, priority },
    concurrency: (ofRuns ? task.concurrency : undefined) ?? null,
    concurrencyPerKey: task.concurrency_per_key ?? null,
    rateLimit: ofRuns ? rateOf(task) : null,
    key: task.queue_key ?? null,
  };
  return Object.values(model).every((value) => value === null) ? null : model;
}

const rateOf = ({ rate_limit: rate }: TaskConfig): RateModel | null =>
  rate === undefined ? null : { max: rate.max, windowMs: rate.window };

function buildSchedule({ schedule, timezone, overlap, catch_up, schedule_input }: TaskConfig): ScheduleModel | null {
  if (schedule === undefined) return null;
  return {
    cron: schedule.trim().split(/\s+/).join(" "),
    timezone: timezone ?? "UTC",
    overlap: overlap ?? "skip",
    catchUp: catch_up ?? false,
    input: schedule_input ?? null,
  };
}

function buildWaves(task: TaskConfig, context: TaskContext): WaveModel[] {
  return task.stages.map((stage) => ({
    parallel: stage.parallel !== undefined,
    stages: (stage.parallel ?? [stage]).map((one) => buildStage(one, task, context)),
    pivot: stage.pivot ?? false,
  }));
}

function buildStage(stage: ActionConfig, task: TaskConfig, context: TaskContext): StageModel {
  const base = { name: namesOf(stage.name ?? ""), when: stage.when ?? null };
  if (stage.sleep !== undefined) return { ...base, kind: "sleep", delay: stage.sleep };
  if (stage.wait_for !== undefined) {
    const { wait_for: signal, timeout: timeoutMs = null, on_timeout: onTimeout = "fail" } = stage;
    return { ...base, kind: "wait", signal, timeoutMs, onTimeout };
  }
  if (stage.saga !== undefined) return { ...base, kind: "child", saga: stage.saga, input: stage.input ?? null };
  return buildCall(stage, task, context);
}

function buildCall(stage: ActionConfig, task: TaskConfig, context: TaskContext): CallModel {
  const service = serviceNamed(stage.service ?? "", context);
  const compensation = task.compensation.find((one) => one.stage === stage.name);
  const endpoint = withLeadingSlash(stage.endpoint ?? "");
  return {
    name: namesOf(stage.name ?? ""),
    kind: "call",
    service: service.name.raw,
    endpoint,
    method: stage.method ?? "POST",
    timeoutMs: stage.timeout ?? service.timeoutMs ?? STAGE_TIMEOUT_MS,
    ...retryOf(stage.retry, task, service, context.recoveryRetry),
    heartbeatMs: stage.heartbeat ?? null,
    refusals: stage.refusals ?? [],
    when: stage.when ?? null,
    input: stage.input ?? null,
    map:
      stage.map === undefined
        ? null
        : {
            over: stage.map,
            concurrency: stage.concurrency ?? 1,
            maxItems: stage.max_items ?? DEFAULT_MAX_ITEMS,
          },
    handler: service.handlers.find((one) => one.endpoint === endpoint)?.name ?? null,
    compensation: compensation === undefined ? null : buildCompensation(compensation, task, service.name.raw, context),
  };
}

function buildCompensation(
  written: CompensationConfig,
  task: TaskConfig,
  serviceOfStage: string,
  context: TaskContext,
): CompensationModel {
  const service = serviceNamed(written.service ?? serviceOfStage, context);
  const action = withLeadingSlash(written.action);
  return {
    stage: written.stage,
    service: service.name.raw,
    action,
    timeoutMs: written.timeout ?? service.timeoutMs ?? STAGE_TIMEOUT_MS,
    ...retryOf(written.retry, task, service, context.recoveryRetry),
    handler: service.handlers.find((one) => one.endpoint === action)?.name ?? null,
  };
}

function serviceNamed(name: string, { services }: TaskContext): ServiceModel {
  const service = services.get(name);
  if (service === undefined) throw new Error(`no service ${name}: the rules should have refused it`);
  return service;
}

function buildSource({ source }: TaskConfig, { config }: TaskContext): BatchSource {
  if (source?.entity !== undefined) {
    const fields = config.domain.entities.find(({ name }) => name === source.entity)?.fields ?? [];
    const where = Object.entries((source.where ?? {}) as Readonly<Record<string, JsonValue>>);
    const columns = where.map(([name, value]): [string, JsonValue] => {
      const type = fields.find((field) => field.name === name)?.type;
      // Ids are kept in lower case.
      const isId = typeof value === "string" && (type === "uuid" || type === "reference");
      return [namesOf(name).snake, isId ? value.toLowerCase() : value];
    });
    return { kind: "entity", entity: namesOf(source.entity), where: Object.fromEntries(columns) };
  }
  const key = source?.key ?? null;
  if (source?.service !== undefined)
    return { kind: "service", service: source.service, endpoint: withLeadingSlash(source.endpoint ?? ""), key };
  if (source?.file !== undefined) {
    const isCsv = source.format === undefined ? /\.csv$/i.test(source.file) : source.format === "csv";
    return { kind: "file", path: source.file, format: isCsv ? "csv" : "lines", key };
  }
  return { kind: "items", items: source?.items ?? [], key };
}
