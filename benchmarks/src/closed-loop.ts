export interface Load {
  readonly inFlight: number;
  /** How long acts are begun, ms. */
  readonly startFor: number;
}

export interface Looped {
  /** One per act, unsorted. */
  readonly latenciesMs: readonly number[];
  /** From the first begin to the last end. */
  readonly wallMs: number;
  /** Processor time of this process. */
  readonly cpuMs: number;
}

/**
 * Keeps `inFlight` acts going for `startFor` ms, then lets them end. Those in flight at the end count, and so does the time that they
 * take: for a slow contender that is most of its round, and no act is cut off or given away. `act` resolves with its latency, ms;
 * rejects with the first that fails.
 */
export async function closedLoop({ inFlight, startFor }: Load, act: () => Promise<number>): Promise<Looped> {
  const latenciesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const until = begin + startFor;
  const lane = async (): Promise<void> => {
    do latenciesMs.push(await act());
    while (performance.now() < until);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const wallMs = performance.now() - begin;
  const cpu = process.cpuUsage(cpuBefore);
  return { latenciesMs, wallMs, cpuMs: (cpu.user + cpu.system) / 1_000 };
}
