import { Draws } from "../seeded.js";

export interface Planned<Fault> {
  /** From the start, ms. */
  readonly at: number;
  readonly fault: Fault;
}

export interface PlanOptions<Kind extends string, Fault> {
  readonly purpose: readonly (string | number)[];
  readonly lengthMs: number;
  /** 0.5: half as many faults in the same time. */
  readonly pace: number;
  /** The mean time between two faults of a kind, ms; each interval is up to a quarter shorter or longer. */
  readonly everyMs: Readonly<Record<Kind, number>>;
  readonly draw: (kind: Kind, draws: Draws) => Fault;
}

/** What goes wrong when, kind by kind: for one purpose always the same, and for a longer time the same at first. */
export function plannedFaults<Kind extends string, Fault>(options: PlanOptions<Kind, Fault>): Planned<Fault>[] {
  const { purpose, lengthMs, pace, everyMs, draw } = options;
  const ofKind = (kind: Kind): Planned<Fault>[] => {
    const draws = new Draws(...purpose, kind);
    const faults: Planned<Fault>[] = [];
    const every = everyMs[kind] / pace;
    // The first one early, so that a short run has some of everything.
    for (let at = every * draws.between(0.2, 0.6); at < lengthMs; at += every * draws.between(0.75, 1.25))
      faults.push({ at, fault: draw(kind, draws) });
    return faults;
  };
  return (Object.keys(everyMs) as Kind[]).flatMap(ofKind).sort((a, b) => a.at - b.at);
}
