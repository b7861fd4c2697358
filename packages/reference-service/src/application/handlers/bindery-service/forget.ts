import type { CompensationHandler } from "../handler.js";

/** `/forget` of `bindery_service`, undoes appraise. */
export const forgetCompensation: CompensationHandler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, outcome: call.outcome }, "stage undone");
  return { undone: call.forwardKey };
};
