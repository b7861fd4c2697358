import { createSharedEvents, type SharedEvents } from "../../store/local-events.js";

interface Kept {
  readonly shared: SharedEvents;
  stores: number;
}

/** By the file's real path, for as long as a store has it open. */
const kept = new Map<string, Kept>();

/** What all stores of the file in this process share. Each that joins leaves once. */
export function joinFile(file: string): SharedEvents {
  const known = kept.get(file) ?? { shared: createSharedEvents(), stores: 0 };
  known.stores += 1;
  kept.set(file, known);
  return known.shared;
}

export function leaveFile(file: string): void {
  const known = kept.get(file);
  if (known === undefined) return;
  known.stores -= 1;
  if (known.stores === 0) kept.delete(file);
}
