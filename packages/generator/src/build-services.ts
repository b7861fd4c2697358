/** The participants of the model: those that are declared, then those that only tasks name, with what calls them. */
import { available } from "./available.js";
import type { HandlerModel, RetryPolicy, ServiceModel } from "./model.js";
import { handlerNames, namesOf } from "./naming.js";
import { over } from "./retry-policies.js";
import { VARIABLE } from "./spec/rules/services.js";
import { withLeadingSlash } from "./spec/rules/urls.js";
import type { Config, ServiceConfig, StageConfig, TaskConfig } from "./spec/schema.js";

export type ActionConfig = Omit<StageConfig, "parallel">;

/** The stages that do something, groups opened. */
export const stagesOf = (task: TaskConfig): ActionConfig[] => task.stages.flatMap((stage) => stage.parallel ?? [stage]);

interface Call {
  readonly service: string;
  readonly path: string;
  readonly kind: HandlerModel["kind"];
  readonly stage: string;
}

function callsOf(task: TaskConfig): Call[] {
  const stages = stagesOf(task);
  const serviceOf = new Map(stages.map((stage) => [stage.name, stage.service]));
  return [
    ...stages.flatMap(({ service, endpoint = "", name = "" }): Call[] =>
      service === undefined ? [] : [{ service, path: endpoint, kind: "action", stage: name }],
    ),
    ...task.compensation.map(
      (one): Call => ({
        service: one.service ?? serviceOf.get(one.stage) ?? "",
        path: one.action,
        kind: "compensation",
        stage: one.stage,
      }),
    ),
    ...(task.source?.service === undefined
      ? []
      : [
          { service: task.source.service, path: task.source.endpoint ?? "", kind: "action" as const, stage: task.name },
        ]),
  ];
}

export function buildServices(config: Config, tasks: readonly TaskConfig[], base: RetryPolicy): ServiceModel[] {
  const calls = tasks.flatMap(callsOf);
  const declared = Object.keys(config.services ?? {});
  const undeclared = calls.map((call) => call.service).filter((name) => !declared.includes(name));
  return [...declared, ...new Set(undeclared)].map((name) => {
    const written: ServiceConfig = config.services?.[name] ?? {};
    const transport = available(written.transport ?? (written.url === undefined ? "simulated" : "http"), [
      "http",
      "nats",
      "local",
      "simulated",
    ]);
    const isRemote = transport === "http" || transport === "nats";
    const own = calls.filter((call) => call.service === name);
    return {
      name: namesOf(name),
      transport,
      url: isRemote ? (written.url?.replace(/\/+$/, "") ?? null) : null,
      declared: declared.includes(name),
      used: own.length > 0,
      timeoutMs: written.timeout ?? null,
      retry: written.retry === undefined ? null : over(base, written.retry),
      headers: Object.entries(written.headers ?? {}).map(([header, value]) => ({
        name: header,
        value,
        variables: [...new Set([...value.matchAll(VARIABLE)].map((match) => match[1] ?? ""))],
      })),
      handlers: transport === "local" ? buildHandlers(own) : [],
    };
  });
}

function buildHandlers(calls: readonly Call[]): HandlerModel[] {
  const handlers = new Map<string, HandlerModel & { stages: string[] }>();
  for (const { path, kind, stage } of calls) {
    const endpoint = withLeadingSlash(path);
    const handler = handlers.get(endpoint) ?? { endpoint, name: handlerNames(endpoint), kind, stages: [] };
    if (!handler.stages.includes(stage)) handler.stages.push(stage);
    handlers.set(endpoint, handler);
  }
  return [...handlers.values()];
}
