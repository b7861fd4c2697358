import type { Handler } from "../handler.js";

/** `/inspect` of `bindery_service`, called by inspect_manuscript. */
export const inspectHandler: Handler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, attempt: call.attempt }, "stage performed");
  return { reference: call.idempotencyKey };
};
