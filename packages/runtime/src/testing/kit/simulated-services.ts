import { parseItemPath } from "../../engine/item-path.js";
import { RuntimeError } from "../../errors.js";
import { type Json, toJson } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import { simulatedParticipant } from "../../participants/simulated.js";
import type { Clock } from "../../ports.js";
import type { StepCall } from "../../saga/definition.js";
import type { Definition } from "../../saga/registry.js";
import { createMemoryLedger } from "../../stores/memory/ledger.js";

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
  return definitions.flatMap((definition) =>
    ("waves" in definition ? definition.waves.flatMap(({ steps }) => steps) : []).flatMap((step) => {
      if (step.kind !== "action" && step.kind !== "map") return [];
      return [step.action, step.compensation?.action].flatMap((action) =>
        action !== undefined && "service" in action ? [{ step: step.name, service: action.service }] : [],
      );
    }),
  );
}

function withAnswers(participant: Participant, answers: TestAnswers): Participant {
  const outputs = new Map<string, Json>();
  return {
    ...participant,
    perform: async (target, call) => {
      const outcome = await participant.perform(target, call);
      const step = parseItemPath(call.stage)?.step ?? call.stage;
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
