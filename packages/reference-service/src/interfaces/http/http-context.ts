import type { Logger } from "../../application/ports/logger.js";
import type { Callers } from "./callers.js";
import type { HttpSettings } from "./http-settings.js";

/** What every route file gets beside the part of the application it serves. */
export interface HttpContext {
  readonly settings: HttpSettings;
  readonly callers: Callers;
  /** Aborted when the service begins to stop: whoever waits for something answers with what there is. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}
