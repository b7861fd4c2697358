import { RuntimeError } from "../errors.js";
import { EventRefusal } from "./event-refusal.js";

/** The handler did not come back within its time. */
export class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";

  constructor(timeoutMs: number) {
    super(
      `expected the handler to return within ${timeoutMs} ms, got no answer; it was aborted and its transaction undone`,
    );
  }
}

/** The attempt was given up: the event is somebody else's, or this process stops. Says nothing about the event. */
export class HandlingAborted extends Error {
  override readonly name = "HandlingAborted";
}

/** The handler may still be at work. */
export function isCut(error: unknown): boolean {
  return error instanceof HandlerTimeout || error instanceof HandlingAborted;
}

/** As it is kept with a parked event. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 500);
  if (error instanceof HandlerTimeout) return { code: "handler-timeout", message };
  if (error instanceof EventRefusal || error instanceof RuntimeError) return { code: error.code, message };
  return { code: "handler-threw", message };
}
