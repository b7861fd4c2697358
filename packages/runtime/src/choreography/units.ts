import { RuntimeError } from "../errors.js";
import type { SagaDefinition, StepDefinition, Unit } from "../saga/definition.js";

/** Units in a row, each started by the end of those before it, and undone when the one behind it is. */
export interface Units {
  /** In the order in which they are declared, gates behind their wave. Going back is the reverse, one after the other. */
  readonly all: readonly Unit[];
  /**
   * Where going back begins: the last one before which nothing later can have begun. The pivot's gate decides between going
   * on and going back; without a pivot it is the last unit.
   */
  readonly turn: Unit;
  readonly hasPivot: boolean;
}

/** Error: `definition-invalid` for a step that cannot be choreographed, by its name. */
export function unitsOf(definition: SagaDefinition): Units {
  const all: Unit[] = [];
  let before: readonly string[] = [];
  let turn: Unit | undefined;
  for (const [index, { steps }] of definition.waves.entries()) {
    const isPastPivot = definition.pivotAfterWave !== null && index > definition.pivotAfterWave;
    for (const step of steps)
      all.push({ name: step.name, step: checked(definition, step), after: before, isPastPivot });
    before = steps.map(({ name }) => name);
    const isPivot = index === definition.pivotAfterWave;
    if (steps.length === 1 && !isPivot) continue;
    const gate: Unit = { name: gateName(definition, index), step: null, after: before, isPastPivot };
    all.push(gate);
    before = [gate.name];
    if (isPivot) turn = gate;
  }
  turn ??= all.at(-1);
  if (turn === undefined) throw refusal(definition, "", "expected at least one stage, got none");
  return { all, turn, hasPivot: definition.pivotAfterWave !== null };
}

/** The one that is undone after it; undefined: it is the first, and with it everything is undone. */
export function unitBefore({ all }: Units, name: string): Unit | undefined {
  return all[all.findIndex((unit) => unit.name === name) - 1];
}

/** Another service begins and undoes it. */
export function isElsewhere({ step }: Unit): boolean {
  return step?.kind === "action" && step.isElsewhere === true;
}

/** What a unit is told in the moment of its end, those who begin the next one find out; when that is somebody else, it must ask itself. */
export function isFollowedElsewhere({ all }: Units, { name }: Unit): boolean {
  return all.some((unit) => unit.after.includes(name) && isElsewhere(unit));
}

function gateName({ waves }: SagaDefinition, wave: number): string {
  const taken = new Set(waves.flatMap(({ steps }) => steps.map(({ name }) => name)));
  let name = `gate_${wave + 1}`;
  while (taken.has(name)) name += "_";
  return name;
}

function checked(definition: SagaDefinition, step: StepDefinition): StepDefinition {
  if (step.kind !== "action") {
    const what = { sleep: "a timer", wait: "a wait for a signal", child: "another saga", map: "a list", batch: "a batch" }[step.kind];
    throw refusal(
      definition,
      step.name,
      `expected stages that call a service, got ${what} in "${step.name}"; only an orchestrated saga has such stages`,
    );
  }
  if (!/^[A-Za-z0-9_-]+$/.test(step.name))
    throw refusal(
      definition,
      step.name,
      `expected stage names of letters, digits, _ and -, because events carry them, got ${JSON.stringify(step.name)}`,
    );
  return step;
}

function refusal({ name }: SagaDefinition, step: string, message: string): RuntimeError {
  return new RuntimeError("definition-invalid", `choreographed saga ${JSON.stringify(name)}: ${message}`, {
    saga: name,
    step,
  });
}
