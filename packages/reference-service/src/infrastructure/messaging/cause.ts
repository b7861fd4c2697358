/** What events that are published now follow from: a request, or another event. It goes along with the call, unseen by it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { CloudEvent } from "@clean-arch/runtime";

export type Cause = Pick<CloudEvent, "traceparent" | "correlationid" | "causationid">;

const causes = new AsyncLocalStorage<Cause>();
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export const currentCause = (): Cause => causes.getStore() ?? {};

/** Anybody may send anything as a trace parent. */
export function causedByRequest<Result>(traceparent: string | undefined, call: () => Result): Result {
  const isOne = traceparent !== undefined && TRACEPARENT.test(traceparent);
  return causes.run(isOne ? { traceparent } : {}, call);
}

export function causedByEvent<Result>({ id, traceparent, correlationid = id }: CloudEvent, call: () => Result): Result {
  return causes.run({ correlationid, causationid: id, ...(traceparent === undefined ? {} : { traceparent }) }, call);
}
