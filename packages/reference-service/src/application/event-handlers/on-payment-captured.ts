import type { EventHandler } from "./event-handler.generated.js";

/** Yours: handles `payment.captured` of billing-service. */
export const onPaymentCaptured: EventHandler = async (event, { logger }) => {
  logger.info({ event: event.id, type: event.type, subject: event.subject }, "event handled");
};
