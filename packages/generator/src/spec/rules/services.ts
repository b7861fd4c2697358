/** Services: names, urls that fit the transport, headers that carry no secret, and services nobody calls. */
import { shown } from "../../diagnostics.js";
import { handlerNames, namesOf } from "../../naming.js";
import type { Path } from "../node.js";
import type { ServiceConfig } from "../schema.js";
import { checkNames, type Loose, type LooseConfig, type Named, present, type Rule, type RuleInput } from "./rule.js";
import { reportUrl, withLeadingSlash } from "./urls.js";

export const checkServices: Rule = ({ config, report }) => {
  const services = Object.entries(config.services ?? {});
  const declared = services.map(([name]) => ({ name, path: ["services", name], at: "key" as const }));
  checkNames(report, "service", config.services === undefined ? namedInTasks(config) : declared);
  checkVariables(services, report);
  const used = servicesUsed(config);
  for (const [name, service] of services) {
    const path = ["services", name];
    if (service !== undefined) checkService(service, config.nats?.url, path, report);
    if (used.has(name)) continue;
    const hint = "remove it, or name it in a stage";
    report({
      code: "unused-service",
      severity: "warning",
      path,
      at: "key",
      expected: "a stage that uses it",
      got: "none",
      hint,
    });
  }
};

function checkService(
  service: Loose<ServiceConfig>,
  natsUrl: string | undefined,
  path: Path,
  report: RuleInput["report"],
): void {
  const { transport, url } = service;
  const protocols = { http: ["http:", "https:"], nats: ["nats:", "tls:"] };
  const any = [...protocols.http, "nats:"];
  reportUrl(report, [...path, "url"], url, transport === "http" || transport === "nats" ? protocols[transport] : any);
  if (transport === undefined && url?.startsWith("nats:")) {
    report({
      code: "missing-key",
      path: [...path, "transport"],
      expected: "`transport: nats` beside a nats url",
      got: "nothing",
    });
  }
  const isWithoutUrl = url === undefined && (transport === "http" || (transport === "nats" && natsUrl === undefined));
  if (isWithoutUrl) {
    const hint = "production and development both need it from the environment then";
    const expected = `a \`url\`${transport === "nats" ? ", or `nats.url`," : ""} beside \`transport: ${transport}\``;
    report({
      code: "service-without-url",
      severity: "warning",
      path: [...path, "transport"],
      expected,
      got: "nothing",
      hint,
    });
  }
  if (url !== undefined && (transport === "local" || transport === "simulated")) {
    const expected = `no url beside \`transport: ${transport}\``;
    const hint = "remove one of them; a url from the environment makes the transport http";
    report({ code: "misplaced-key", path: [...path, "url"], at: "key", expected, got: "one", hint });
  }
  for (const [name, value] of Object.entries(service.headers ?? {})) {
    if (value !== undefined) checkHeader(name, value, [...path, "headers", name], report);
  }
}

/** Without a `services:` block the names of the stages stand for themselves; each is looked at where it first stands. */
function namedInTasks(config: LooseConfig): Named[] {
  const first = new Map<string, Named>();
  const add = (name: string | undefined, path: Path): void => {
    if (name !== undefined && !first.has(name)) first.set(name, { name, path });
  };
  for (const { item: task, i } of present(config.long_running?.tasks)) {
    const at: Path = ["long_running", "tasks", i];
    for (const { item: stage, i: j } of present(task.stages)) {
      add(stage.service, [...at, "stages", j, "service"]);
      for (const { item: inner, i: k } of present(stage.parallel))
        add(inner.service, [...at, "stages", j, "parallel", k, "service"]);
    }
    for (const { item: one, i: j } of present(task.compensation))
      add(one.service, [...at, "compensation", j, "service"]);
    add(task.source?.service, [...at, "source", "service"]);
  }
  return [...first.values()];
}

/** Every setting of a service has a variable in the environment; two must not have the same one. */
function checkVariables(services: [string, Loose<ServiceConfig> | undefined][], report: RuleInput["report"]): void {
  const taken = new Map<string, readonly string[]>();
  const settings = services.flatMap(([name, service]) => [
    ...["transport", "url"].map((key) => [name, key]),
    ...Object.keys(service?.headers ?? {}).map((header) => [name, "headers", header]),
  ]);
  for (const path of settings) {
    const variable = ["services", ...path].map((part) => namesOf(part).constant).join("_");
    const first = taken.get(variable);
    taken.set(variable, first ?? path);
    // Services of one name have been refused as such.
    if (first === undefined || (first.length === path.length && first[0] !== path[0])) continue;
    const expected = "each variable of the environment once";
    const got = `${variable}, which is services.${first.join(".")} already`;
    report({
      code: "duplicate-name",
      path: ["services", ...path],
      at: "key",
      expected,
      got,
      hint: "rename one of them",
    });
  }
}

/** What the protocol with participants sets itself. */
const OWN_HEADERS = new Set(
  "accept connection content-length content-type expect host idempotency-key keep-alive te traceparent tracestate trailer transfer-encoding upgrade x-attempt x-run-fence x-run-id x-step".split(
    " ",
  ),
);
const SECRET_HEADERS = new Set("authorization cookie proxy-authorization x-api-key x-auth-token".split(" "));

/** `${NAME}`, as a header's value names the environment. */
export const VARIABLE = /\$\{([A-Z_][A-Z0-9_]*)\}/g;

function checkHeader(name: string, value: string, path: Path, report: RuleInput["report"]): void {
  if (OWN_HEADERS.has(name.toLowerCase())) {
    const expected = "a header the calls do not set themselves";
    report({ code: "bad-header", path, at: "key", expected, got: shown(name), hint: "remove it" });
  }
  if (/[^\t\u0020-\u007e]/.test(value)) {
    report({ code: "bad-header", path, expected: "one line of ASCII text", got: shown(value) });
  }
  if (value.replaceAll(VARIABLE, "").includes("${")) {
    report({ code: "bad-header", path, expected: "variables as ${NAME}, in upper case", got: shown(value) });
  }
  if (SECRET_HEADERS.has(name.toLowerCase()) && value.match(VARIABLE) === null) {
    const hint = "secrets come from the environment only";
    report({
      code: "secret-in-config",
      path,
      expected: "a value that names a variable, `${NAME}`",
      got: "a literal",
      hint,
    });
  }
}

/** Of a handler, without its ending. File systems take 255 bytes. */
const MAX_FILE_NAME = 200;

/** Endpoints of one local service become functions, each in a file of its own; two must not become the same one. */
export const checkHandlers: Rule = ({ config, report }) => {
  const handlers = new Map<string, string>();
  for (const { service, endpoint, path, kind } of callsWritten(config)) {
    if (config.services?.[service]?.transport !== "local") continue;
    const called = `${withLeadingSlash(endpoint)} as ${kind}`;
    if (handlerNames(endpoint).kebab.length > MAX_FILE_NAME) {
      const expected = `an endpoint of a local service short enough to name a file (${MAX_FILE_NAME} characters)`;
      report({ code: "bad-endpoint", path, expected, got: `${endpoint.length} characters` });
    }
    const identity = `${service}/${handlerNames(endpoint).kebab}`;
    const first = handlers.get(identity);
    handlers.set(identity, first ?? called);
    if (first === undefined || first === called) continue;
    const hint = `${first} has the same file, src/application/handlers/${namesOf(service).kebab}/${handlerNames(endpoint).kebab}.ts`;
    report({ code: "duplicate-name", path, expected: "each local handler under a name of its own", got: called, hint });
  }
};

interface WrittenCall {
  readonly service: string;
  readonly endpoint: string;
  readonly path: Path;
  readonly kind: "action" | "compensation";
}

function callsWritten(config: LooseConfig): WrittenCall[] {
  const calls: WrittenCall[] = [];
  const add = (
    service: string | undefined,
    endpoint: string | undefined,
    path: Path,
    kind: WrittenCall["kind"],
  ): void => {
    if (service !== undefined && endpoint !== undefined) calls.push({ service, endpoint, path, kind });
  };
  for (const { item: task, i } of present(config.long_running?.tasks)) {
    const at: Path = ["long_running", "tasks", i];
    const serviceOf = new Map<string | undefined, string | undefined>();
    for (const { item: stage, i: j } of present(task.stages)) {
      serviceOf.set(stage.name, stage.service);
      add(stage.service, stage.endpoint, [...at, "stages", j, "endpoint"], "action");
      for (const { item: inner, i: k } of present(stage.parallel)) {
        serviceOf.set(inner.name, inner.service);
        add(inner.service, inner.endpoint, [...at, "stages", j, "parallel", k, "endpoint"], "action");
      }
    }
    add(task.source?.service, task.source?.endpoint, [...at, "source", "endpoint"], "action");
    for (const { item: one, i: j } of present(task.compensation)) {
      add(one.service ?? serviceOf.get(one.stage), one.action, [...at, "compensation", j, "action"], "compensation");
    }
  }
  return calls;
}

/** Names of all services that a stage, a compensation or a source calls. */
function servicesUsed(config: LooseConfig): Set<string> {
  const used = new Set<string>();
  const add = (name: string | undefined): void => void (name !== undefined && used.add(name));
  for (const { item: task } of present(config.long_running?.tasks)) {
    add(task.source?.service);
    for (const { item: stage } of present(task.stages)) {
      add(stage.service);
      for (const { item: inner } of present(stage.parallel)) add(inner.service);
    }
    for (const { item: compensation } of present(task.compensation)) add(compensation.service);
  }
  return used;
}
