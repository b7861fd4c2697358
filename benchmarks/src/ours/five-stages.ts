import { type Json, type SagaDefinition, saga } from "@clean-arch/runtime";
import { actOf } from "../events/order-placed.js";
import { STAGES } from "../events/scenarios.js";

export const FIVE_STAGES = "five";

export type Style = "orchestration" | "choreography";

/** The saga of the suite `events`, the same in both styles: stages that do nothing but to be `done` for the act that the input names. */
export function fiveStages(style: Style, done: (act: number, stage: number) => void): SagaDefinition {
  // Names of stages that only exist at run time: the builder's types, which carry outputs by name, have nothing to say about them.
  let builder = saga<Json>(FIVE_STAGES, { style });
  for (let stage = 1; stage <= STAGES; stage += 1)
    builder = builder.step(`stage-${stage}`, {
      run: ({ input }) => {
        done(actOf(input), stage);
        return { stage, ok: true };
      },
      compensate: () => undefined,
    });
  return builder.build();
}
