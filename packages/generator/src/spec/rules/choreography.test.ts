import { describe, expect, test } from "vitest";
import { renderText } from "../../diagnostics.js";
import { diagnosticsOf } from "../../fixture.test.support.js";

const said = (recovery: string, stages: string): string[] =>
  diagnosticsOf(
    `session: {saga: {orchestration: choreography}, recovery: {${recovery}}}\nlong_running: {tasks: [{name: t, stages: [${stages}]}]}`,
  ).map((diagnostic) => renderText(diagnostic).replace(/^config\.yaml:/, ""));

describe("a choreographed config", () => {
  test("is one whose stages call services", () => {
    expect(said("strategy: manual", "{name: a, service: s, endpoint: /a, when: input.x}")).toEqual([]);
  });

  test("refuses recovery that stops halfway", () => {
    expect(said("strategy: retry", "{name: a, service: s, endpoint: /a}")).toEqual([
      '1:69: error not-choreographed session.recovery.strategy: expected compensate or manual with choreography, got "retry"; undo what was done, or let an operator decide; or use orchestration',
    ]);
    expect(said("enabled: false", "{name: a, service: s, endpoint: /a}")).toEqual([
      "1:68: error not-choreographed session.recovery.enabled: expected true with choreography, got false; undo what was done, or let an operator decide; or use orchestration",
    ]);
  });

  test("refuses stages that nobody's event can start, alone or in a group", () => {
    const list = "{name: a, service: s, endpoint: /a, map: input.list}";
    const what =
      "expected a call of a service with choreography, got a list; use orchestration, or do it in the service";
    expect(said("", list)).toEqual([`2:79: error not-choreographed long_running.tasks[0].stages[0].map: ${what}`]);
    expect(said("", `{name: g, parallel: [${list}]}`)).toEqual([
      `2:100: error not-choreographed long_running.tasks[0].stages[0].parallel[0].map: ${what}`,
    ]);
  });
});
