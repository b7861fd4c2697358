import type { CompensationHandler } from "../handler.js";

/** `/archive` of `bindery_service`, undoes inspect_manuscript. */
export const archiveCompensation: CompensationHandler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, outcome: call.outcome }, "stage undone");
  return { undone: call.forwardKey };
};
