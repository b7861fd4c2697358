export interface Named {
  readonly name: string;
}

export interface Rounds<C extends Named, S extends Named, Figures> {
  readonly contenders: readonly (C & { readonly takes: (scenario: S) => boolean })[];
  readonly scenarios: readonly S[];
  readonly rounds: number;
  /** Aborted when a signal stops the bench. */
  readonly stopping: AbortSignal;
  /** Measures the scenarios one after the other and reports each. */
  takeTurn(contender: C, scenarios: readonly S[], report: (scenario: S, figures: Figures) => void): Promise<void>;
  /** The figures that are worth seeing while the bench runs. */
  inShort(figures: Figures): string;
  /** Is told what goes on. */
  say(line: string): void;
}

/** Everything that was measured of one contender, one entry of `figures` per round. */
export interface Measurement<C extends Named, S extends Named, Figures> {
  readonly contender: C;
  readonly scenarios: readonly { readonly name: S["name"]; readonly figures: readonly Figures[] }[];
}

export interface Outcome<C extends Named, S extends Named, Figures> {
  /** In the order of the contenders; without those that measured nothing. */
  readonly measurements: readonly Measurement<C, S, Figures>[];
  /** Turns that could not be finished, in words. */
  readonly failures: readonly string[];
}

/**
 * A round is one turn of each contender. A turn that fails is noted, and the others go on. Each round begins with another contender, so
 * that none is always measured after the same neighbor.
 */
export async function inRounds<C extends Named, S extends Named, Figures>(
  options: Rounds<C, S, Figures>,
): Promise<Outcome<C, S, Figures>> {
  const { contenders, scenarios, rounds, stopping, takeTurn, inShort, say } = options;
  const measured = contenders.map((contender) => ({ contender, figures: new Map<S["name"], Figures[]>() }));
  const failures: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { contender, figures } of rotated(measured, round - 1)) {
      stopping.throwIfAborted();
      const taken = scenarios.filter(contender.takes);
      if (taken.length === 0) continue;
      try {
        await takeTurn(contender, taken, ({ name }, one) => {
          figures.set(name, [...(figures.get(name) ?? []), one]);
          say(`round ${round}  ${contender.name.padEnd(30)} ${name.padEnd(12)} ${inShort(one)}`);
        });
      } catch (error) {
        stopping.throwIfAborted();
        failures.push(`round ${round}, ${error instanceof Error ? error.message : error}`);
        say(`round ${round}  ${contender.name} failed`);
      }
    }
  }
  const measurements = measured
    .filter(({ figures }) => figures.size > 0)
    .map(({ contender, figures }) => ({
      contender,
      scenarios: [...figures].map(([name, all]) => ({ name, figures: all })),
    }));
  return { measurements, failures };
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const at = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}
