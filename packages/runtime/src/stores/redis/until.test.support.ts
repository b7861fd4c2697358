import { sleep, systemPorts } from "../../ports.js";
import type { SessionStore } from "../../store/session-store.js";

/** Asks again and again: what is waited for happens in another process, which tells nobody. `done` ends the asking. */
export async function until(isTrue: () => Promise<boolean> | boolean, done?: AbortSignal): Promise<void> {
  while (!done?.aborted && !(await isTrue())) await sleep(systemPorts.clock, 5, done);
}

export function answers(store: Pick<SessionStore, "ping">): Promise<boolean> {
  return store.ping().then(
    () => true,
    () => false,
  );
}
