import type { Handler } from "../handler.js";

/** `/bind` of `bindery_service`, called by bind_copies. */
export const bindHandler: Handler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, attempt: call.attempt }, "stage performed");
  return { reference: call.idempotencyKey };
};
