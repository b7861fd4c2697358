// Misspelled on purpose: cspell:ignore tiemout sesion reddis ordr stok timeuot mred conifg genrate compnsation prefx
import { describe, expect, test } from "vitest";

import { renderText } from "../diagnostics.js";
import { diagnosticsOf, exampleText } from "../fixture.test.support.js";
import { readConfig } from "./read.js";

const said = (text: string): string[] => diagnosticsOf(text).map(renderText);
const codes = (text: string): string[] =>
  diagnosticsOf(text).map(({ line, column, severity, code, key }) => `${line}:${column} ${severity} ${code} ${key}`);

describe("the real inputs", () => {
  test("the example has nothing against it", () => {
    expect(said(exampleText("example-config-session.yaml"))).toEqual([]);
  });

  test("the example without domain and services is valid", () => {
    const text = withoutBlocks(exampleText("example-config-session.yaml"), ["domain", "services"]).replace(
      "source: { entity: Order, where: { status: confirmed } }",
      "source: { items: [1] }",
    );
    expect(said(text)).toEqual([]);
  });

  test("only its session and long_running blocks are valid, but for the entity its batch reads", () => {
    const text = withoutBlocks(exampleText("example-config-session.yaml"), ["project", "http", "domain", "services"]);
    expect(diagnosticsOf(text).map(({ severity, code, key }) => `${severity} ${code} ${key}`)).toEqual([
      "warning unknown-entity long_running.tasks[1].source.entity",
    ]);
  });

  test("the fragment warns of the compensation whose stage is missing", () => {
    expect(said(exampleText("fragment.yaml"))).toEqual([
      'config.yaml:15:19: warning unknown-stage long_running.tasks[0].compensation[0].stage: expected a stage of the task, got "process_payment"; it is kept and waits for the stage',
    ]);
    expect(() => readConfig(Buffer.from(exampleText("fragment.yaml")), "f.yaml", { strict: true })).toThrow(
      /error unknown-stage/,
    );
  });
});

describe("values", () => {
  test("come out normalized, with their defaults", () => {
    const text = "session: {context: {ttl: 5m}, recovery: {initial_delay: 1500ms}}\nhttp: {body_limit: 64KiB}\n";
    const { config } = readConfig(Buffer.from(text), "f.yaml");
    expect(config.session.context).toEqual({
      ...{ storage: "redis", ttl: 300_000, absolute_ttl: 86_400_000, prefix: "session:" },
      encryption: { enabled: false },
    });
    expect(config.session.recovery).toEqual({
      enabled: true,
      strategy: "compensate",
      max_attempts: 5,
      backoff: "exponential",
      initial_delay: 1500,
      max_delay: 60_000,
      jitter: "full",
      lease: 10_000,
      max_crashes: 3,
    });
    expect(config.http).toEqual({ port: 8080, host: "0.0.0.0", body_limit: 65_536, trust_proxy: 0 });
    expect(config.long_running).toEqual({ enabled: true, tasks: [] });
  });
});

const stage = "{name: a, service: s, endpoint: /a}";
const task = (body: string): string => `long_running:\n  tasks:\n    - name: t\n${body.replace(/^/gm, "      ")}\n`;
const entity = (fields: string): string => `domain:\n  entities:\n    - name: Order\n      fields: [${fields}]\n`;

/** One config for each refusal; the text is the transcript a user reads. */
const transcript: [config: string, messages: string[]][] = [
  [
    "session: {saga: {tiemout: 3}}",
    [
      '1:18: error unknown-key session.saga.tiemout: expected one of enabled, orchestration, timeout, got "tiemout"; did you mean timeout',
    ],
  ],
  [
    "sesion: {}",
    [
      '1:1: error unknown-key sesion: expected one of project, http, database, redis, nats, domain, services, session, long_running, events, observability, deploy, got "sesion"; did you mean session',
    ],
  ],
  [
    "session:\n  context: {storage: reddis}",
    [
      '2:22: error wrong-value session.context.storage: expected one of redis, sqlite, memory, postgres, got "reddis"; did you mean redis',
    ],
  ],
  [
    "session: {saga: {enabled: yes}}",
    ['1:27: error wrong-type session.saga.enabled: expected true or false, got "yes"'],
  ],
  ["session:", ["1:9: error wrong-type session: expected a mapping, got nothing; write `{}` for all defaults"]],
  ["session: []", ["1:10: error wrong-type session: expected a mapping, got a list"]],
  ["http: {port: 0}", ["1:14: error out-of-range http.port: expected a whole number from 1 to 65535, got 0"]],
  [
    'http: {port: "80"}',
    ['1:14: error wrong-type http.port: expected a whole number from 1 to 65535, got "80"; write it without quotes'],
  ],
  ["http: {port: 80.5}", ["1:14: error wrong-type http.port: expected a whole number from 1 to 65535, got 80.5"]],
  [
    "session: {context: {ttl: 1d}}",
    [
      '1:26: error wrong-type session.context.ttl: expected a duration (whole seconds, or text such as "1500ms", "30s", "5m", "2h"), got "1d"',
    ],
  ],
  [
    "session: {context: {ttl: -1}}",
    [
      '1:26: error wrong-type session.context.ttl: expected a duration (whole seconds, or text such as "1500ms", "30s", "5m", "2h"), got -1',
    ],
  ],
  [
    "session: {context: {ttl: 0}}",
    ["1:26: error out-of-range session.context.ttl: expected a duration above zero, got 0"],
  ],
  [
    "session: {context: {ttl: 9000h}}",
    ['1:26: error out-of-range session.context.ttl: expected at most a year (8760h), got "9000h"'],
  ],
  [
    "http: {body_limit: 1MB}",
    ['1:20: error wrong-type http.body_limit: expected a size (bytes, or text such as "512KiB", "1MiB"), got "1MB"'],
  ],
  [
    "project: {name: ../../x}",
    ['1:17: error wrong-value project.name: expected text like ^[A-Za-z][A-Za-z0-9_-]*$, got "../../x"'],
  ],
  [
    "project: {description: 5}",
    ["1:24: error wrong-type project.description: expected text, got 5; write it in quotes"],
  ],
  [
    entity("{name: class, type: text}").replace("Order", "class"),
    [
      '3:13: error reserved-name domain.entities[0].name: expected another name for the entity, got "class"; it is a reserved word of TypeScript',
      '4:23: error reserved-name domain.entities[0].fields[0].name: expected another name for the field, got "class"; it is a reserved word of TypeScript',
    ],
  ],
  [
    entity("{name: a, type: text}").replace("Order", "../../x"),
    [
      '3:13: error bad-name domain.entities[0].name: expected a name (a letter, then letters, digits and _, at most 64 characters), got "../../x"; did you mean x',
    ],
  ],
  [
    entity("{name: a, type: text}, {name: A, type: text}"),
    [
      '4:46: error duplicate-name domain.entities[0].fields[1].name: expected each field once, got "A"; it becomes the same name as a',
    ],
  ],
  [
    entity("{name: a, type: txt}"),
    [
      '4:32: error wrong-value domain.entities[0].fields[0].type: expected one of string, text, integer, bigint, decimal, boolean, uuid, date, timestamp, json, enum, reference, got "txt"; did you mean text',
    ],
  ],
  [
    entity("{name: a, type: text, min: 1}"),
    [
      "4:38: error misplaced-key domain.entities[0].fields[0].min: expected `min` only with type integer, bigint, decimal, got type text; remove it",
    ],
  ],
  [
    entity("{name: a, type: enum}"),
    [
      "4:16: error missing-key domain.entities[0].fields[0].values: expected the key `values` of type enum, got nothing",
    ],
  ],
  [
    entity("{name: a, type: enum, values: [x], default: y}"),
    ['4:60: error bad-default domain.entities[0].fields[0].default: expected one of x, got "y"'],
  ],
  [
    entity("{name: a, type: reference, entity: Ordr}"),
    [
      '4:51: error unknown-entity domain.entities[0].fields[0].entity: expected an entity of this domain, got "Ordr"; did you mean Order',
    ],
  ],
  [
    entity("{name: a, type: string, pattern: '('}"),
    [
      '4:49: error bad-pattern domain.entities[0].fields[0].pattern: expected a regular expression of JavaScript with the flag u, got "("; Unterminated group',
    ],
  ],
  [
    entity("{name: a, type: integer, min: 5, max: 1}"),
    ["4:54: error out-of-range domain.entities[0].fields[0].max: expected at least min (5), got 1"],
  ],
  [
    entity("{name: a, type: reference, entity: Order, required: true}"),
    [
      "4:51: error reference-cycle domain.entities[0].fields[0].entity: expected required references without a cycle, got Order -> Order; make one of the references optional",
    ],
  ],
  [
    task(`stages: [${stage}, ${stage}]`),
    [
      '4:60: error duplicate-name long_running.tasks[0].stages[1].name: expected each stage once, got "a"; it is there already',
    ],
  ],
  [
    task(`stages: [${stage}, {parallel: [${stage.replace("name: a", "name: A")}]}]`),
    [
      '4:72: error duplicate-name long_running.tasks[0].stages[1].parallel[0].name: expected each stage once, got "A"; it becomes the same name as a',
    ],
  ],
  [
    task("stages: []"),
    ["4:15: error out-of-range long_running.tasks[0].stages: expected at least 1 item, got an empty list"],
  ],
  [
    task("stages: [{name: a}]"),
    [
      "4:16: error missing-key long_running.tasks[0].stages[0].service: expected the key `service`, got nothing",
      "4:16: error missing-key long_running.tasks[0].stages[0].endpoint: expected the key `endpoint`, got nothing",
    ],
  ],
  [
    task("stages: [{name: a, service: s, endpoint: 'http://x/y'}]"),
    [
      "4:48: error bad-endpoint long_running.tasks[0].stages[0].endpoint: expected a path below the service's url, such as `/validate`, got \"http://x/y\"; the host belongs in the service's url",
    ],
  ],
  [
    task("stages: [{name: a, service: s, endpoint: /../x}]"),
    [
      '4:48: error bad-endpoint long_running.tasks[0].stages[0].endpoint: expected a path below the service\'s url, such as `/validate`, without `.` and `..`, got "/../x"',
    ],
  ],
  [
    task("stages: [{name: a, service: s, endpoint: /%2e%2e/x}]"),
    [
      '4:48: error bad-endpoint long_running.tasks[0].stages[0].endpoint: expected a path below the service\'s url, such as `/validate`, without `.` and `..`, got "/%2e%2e/x"',
    ],
  ],
  [
    task("stages: [{name: a, service: s, endpoint: '/x?y=1'}]"),
    [
      '4:48: error bad-endpoint long_running.tasks[0].stages[0].endpoint: expected a path below the service\'s url, such as `/validate`, without ? and #, got "/x?y=1"',
    ],
  ],
  [
    `services: {stock: {}}\n${task("stages: [{name: a, service: stok, endpoint: /a}]")}`,
    [
      "1:12: warning unused-service services.stock: expected a stage that uses it, got none; remove it, or name it in a stage",
      '5:35: error unknown-service long_running.tasks[0].stages[0].service: expected a service that `services:` declares, got "stok"; did you mean stock',
    ],
  ],
  [
    `services: {s: {url: 'ftp://x'}}\n${task(`stages: [${stage}]`)}`,
    [
      '1:21: error bad-url services.s.url: expected a url that starts with http:// or https:// or nats://, got "ftp://x"',
    ],
  ],
  [
    `services: {s: {url: 'http://u:p@x'}}\n${task(`stages: [${stage}]`)}`,
    [
      "1:21: error secret-in-config services.s.url: expected a url without user or password, got one with them; secrets come from the environment only; set the url there",
    ],
  ],
  [
    `services: {s: {url: 'http://x', headers: {Authorization: abc}}}\n${task(`stages: [${stage}]`)}`,
    [
      "1:58: error secret-in-config services.s.headers.Authorization: expected a value that names a variable, `${NAME}`, got a literal; secrets come from the environment only",
    ],
  ],
  [
    task(`stages: [${stage}, {parallel: [{parallel: []}]}]`),
    [
      "4:66: error nested-parallel long_running.tasks[0].stages[1].parallel[0].parallel: expected a stage, got a group in a group; put its stages into the group around it",
    ],
  ],
  [
    task(`stages: [{parallel: [{name: a, service: s, endpoint: /a, pivot: true}]}]`),
    [
      "4:64: error bad-pivot long_running.tasks[0].stages[0].parallel[0].pivot: expected a pivot between stages, got one inside a parallel group; write it on the group",
    ],
  ],
  [
    task(
      `stages: [{name: p, service: s, endpoint: /p, pivot: true}, ${stage}]\ncompensation: [{stage: a, action: undo}]`,
    ),
    [
      '5:30: warning pivoted-compensation long_running.tasks[0].compensation[0].stage: expected a stage up to the pivot, got "a"; after the pivot a run only goes forward; remove one of them',
    ],
  ],
  [
    task(`type: batch\nschedule: '61 * * * *'\ntimezone: Mars/Olympus\nsource: {items: [1]}\nstages: [${stage}]`),
    [
      '5:17: error bad-schedule long_running.tasks[0].schedule: expected a minute from 0 to 59, as *, 5, 1-5, */15 or a list of them, got "61 * * * *"',
      '6:17: error bad-schedule long_running.tasks[0].timezone: expected an IANA time zone such as Europe/Berlin, got "Mars/Olympus"',
    ],
  ],
  [
    task(`type: batch\nstages: [${stage}]`),
    [
      "3:7: error missing-key long_running.tasks[0].source: expected the key `source` of a batch, got nothing; one of entity, service, file, items",
    ],
  ],
  [
    "session: {checkpoint: {strategy: step, interval: 5}}",
    [
      "1:40: warning interval-ignored session.checkpoint.interval: expected no interval with strategy step, got one; remove it, or use strategy time or count",
    ],
  ],
  [
    task("stages: [{name: a, sleep: 400}]"),
    [
      "4:15: warning timeout-exceeded long_running.tasks[0].stages: expected sleeps and waits within the timeout (300 s), got 400 s",
    ],
  ],
  [
    task("stages: [{name: a, saga: t}]"),
    ["4:32: error saga-cycle long_running.tasks[0].stages[0].saga: expected child sagas without a cycle, got t -> t"],
  ],
];

describe("what a user reads", () => {
  test.each(transcript)("about %j", (config, messages) => {
    expect(said(config)).toEqual(messages.map((message) => `config.yaml:${message}`));
  });

  test("is everything at once, in the file's order", () => {
    const text = [
      "http: {port: 99999}",
      "session:",
      "  saga: {timeuot: 3}",
      "  context: {storage: mysql}",
      "long_running:",
      "  tasks:",
      "    - name: t",
      "      stages:",
      "        - {name: a, service: s, endpoint: /a, max_items: 5}",
      "        - {name: a, service: s, endpoint: ../b}",
      "deploy: {replicas: 2}",
    ].join("\n");
    expect(codes(text)).toEqual([
      "1:14 error out-of-range http.port",
      "3:10 error unknown-key session.saga.timeuot",
      "4:22 error wrong-value session.context.storage",
      "9:47 error misplaced-key long_running.tasks[0].stages[0].max_items",
      "10:18 error duplicate-name long_running.tasks[0].stages[1].name",
      "10:43 error bad-endpoint long_running.tasks[0].stages[1].endpoint",
      "11:10 error not-available deploy.replicas",
    ]);
  });

  test("has no control character of the file in it", () => {
    const [message = ""] = said('"\\u001b[31mred\\n": 1\n');
    expect(message).toContain("unknown-key");
    expect([...message].filter((unit) => unit < " ")).toEqual([]);
  });
});

describe("names of one scope", () => {
  test.each([
    ["tasks", `long_running: {tasks: [{name: do_it, stages: [${stage}]}, {name: doIt, stages: [${stage}]}]}`],
    [
      "services",
      `services: {a_b: {}, aB: {}}\nlong_running: {tasks: [{name: t, stages: [${stage.replace("service: s", "service: a_b")}, {name: b, service: aB, endpoint: /b}]}]}`,
    ],
    [
      "entities by their plural",
      "domain: {entities: [{name: Bus, fields: [{name: a, type: text}]}, {name: Buses, fields: [{name: a, type: text}]}, {name: bus, fields: [{name: a, type: text}]}]}",
    ],
    [
      "local handlers",
      "services: {s: {transport: local}}\nlong_running: {tasks: [{name: t, stages: [{name: a, service: s, endpoint: /x-y}, {name: b, service: s, endpoint: /x/y}]}]}",
    ],
  ])("that meet after case conversion are refused: %s", (_, text) => {
    expect(diagnosticsOf(text).map(({ code }) => code)).toEqual(["duplicate-name"]);
  });
});

/** A config without some of its top-level blocks. */
function withoutBlocks(text: string, blocks: readonly string[]): string {
  let keep = true;
  const kept = text.split("\n").filter((line) => {
    const block = /^([a-z_]+):/.exec(line)?.[1];
    if (block !== undefined) keep = !blocks.includes(block);
    return keep;
  });
  return kept.join("\n");
}
