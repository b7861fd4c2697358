import { RuntimeError } from "../../errors.js";
import { type Json, toJson } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import { simulatedParticipant } from "../../participants/simulated.js";
import type { Clock } from "../../ports.js";
import type { Action, StepCall, StepDefinition } from "../../saga/definition.js";
import type { Definition } from "../../saga/registry.js";
import { createMemoryLedger } from "../../stores/memory/ledger.js";
import { stepNameOf } from "./step-name.js";

/** Output of a step that a simulated service performs, or what makes it. Of one key the first one counts. */
export type Answer = Json | ((call: StepCall) => unknown);

/** By the step's name. */
export type TestAnswers = Readonly<Record<string, Answer>>;

/**
 * Every service that the definitions name and nobody was given for, simulated: once per key, and obedient to the run's
 * `input.simulate`. Error: `definition-invalid` for an answer of a step that no simulated service performs.
 */
export function simulatedServices(
  definitions: readonly Definition[],
  given: Readonly<Record<string, Participant>>,
  answers: TestAnswers,
  clock: Clock,
): Readonly<Record<string, Participant>> {
  const ledger = createMemoryLedger({ clock });
  const simulated: Record<string, Participant> = {};
  const answered = new Set<string>();
  for (const { step, service } of serviceCalls(definitions)) {
    if (Object.hasOwn(given, service)) continue;
    answered.add(step);
    simulated[service] ??= withAnswers(simulatedParticipant({ name: service, ledger, clock }), answers);
  }
  const unknown = Object.keys(answers).find((step) => !answered.has(step));
  if (unknown === undefined) return { ...simulated, ...given };
  const known = [...answered].join(", ") || "none";
  const message = `expected answers of steps that simulated services perform, got one of ${JSON.stringify(unknown)}; such steps are: ${known}`;
  throw new RuntimeError("definition-invalid", message, { step: unknown });
}

/** Who calls which service; of compensations too. */
function serviceCalls(definitions: readonly Definition[]) {
  const steps = definitions.flatMap(({ waves }) => waves.flatMap((wave) => wave.steps));
  return steps.flatMap((step) =>
    actsOf(step).flatMap(({ name, act }) => ("service" in act ? [{ step: name, service: act.service }] : [])),
  );
}

function actsOf(
  step: StepDefinition,
): readonly { readonly name: string; readonly act: Action | { readonly run: unknown } }[] {
  const named = (name: string, ...acts: readonly (Action | { readonly run: unknown } | undefined)[]) =>
    acts.flatMap((act) => (act === undefined ? [] : [{ name, act }]));
  if (step.kind === "action" || step.kind === "map") return named(step.name, step.action, step.compensation?.action);
  if (step.kind !== "batch" || step.work.kind !== "stages") return [];
  return step.work.stages.flatMap(({ name, call, compensation }) => named(name, call, compensation?.call));
}

function withAnswers(participant: Participant, answers: TestAnswers): Participant {
  const outputs = new Map<string, Json>();
  return {
    ...participant,
    perform: async (target, call) => {
      const outcome = await participant.perform(target, call);
      const step = stepNameOf(call.stage);
      if (outcome.kind !== "completed" || !Object.hasOwn(answers, step)) return outcome;
      const { idempotencyKey: key } = call;
      const answer = answers[step] ?? null;
      if (!outputs.has(key)) {
        const made = typeof answer === "function" ? await answer(call) : answer;
        outputs.set(key, toJson(made, `the answer of step "${step}"`));
      }
      return { kind: "completed", output: outputs.get(key) ?? null };
    },
  };
}
