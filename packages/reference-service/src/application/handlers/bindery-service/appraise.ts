import type { Handler } from "../handler.js";

/** `/appraise` of `bindery_service`, called by appraise. */
export const appraiseHandler: Handler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, attempt: call.attempt }, "stage performed");
  return { reference: call.idempotencyKey };
};
