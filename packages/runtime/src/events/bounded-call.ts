import type { Clock } from "../ports.js";
import { HandlerTimeout, HandlingAborted } from "./attempt-failure.js";

export interface CallBounds {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Gives the call up. */
  readonly signal: AbortSignal;
}

/**
 * Calls, and waits for what it returns: until it settles, its time is over (`HandlerTimeout`), or it is given up (`HandlingAborted`). The
 * call's own signal is aborted then; what it still does, nobody sees. A call that returns no promise is not waited for at all: what
 * comes next is in the same turn.
 */
export function boundedCall(call: (signal: AbortSignal) => unknown, bounds: CallBounds): Promise<void> | undefined {
  const { clock, timeoutMs, signal: outer } = bounds;
  const controller = new AbortController();
  const returned = call(controller.signal);
  if (!isThenable(returned)) return undefined;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      cancelTimer();
      outer.removeEventListener("abort", giveUp);
      settle();
    };
    const cut = (error: Error): void => {
      controller.abort(error);
      finish(() => reject(error));
    };
    const giveUp = (): void => cut(new HandlingAborted("the event has gone to another process, or this one stops"));
    const cancelTimer = clock.after(timeoutMs, () => cut(new HandlerTimeout(timeoutMs)));
    if (outer.aborted) return giveUp();
    outer.addEventListener("abort", giveUp, { once: true });
    returned.then(
      () => finish(resolve),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
