import type { EventHandler } from "./event-handler.generated.js";

/** Yours: handles `bound_volume.created` of this service. */
export const onBoundVolumeCreated: EventHandler = async (event, { logger }) => {
  logger.info({ event: event.id, type: event.type, subject: event.subject }, "event handled");
};
