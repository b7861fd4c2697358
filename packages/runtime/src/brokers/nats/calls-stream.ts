/**
 * The stream of calls, for `createNatsBroker`: callers and participants give the same. An hour, for a request that nobody took in its caller's time
 * is of no use, and what calls carry need not lie about.
 */
export const CALLS_STREAM = { stream: "clean-arch-calls", prefix: "clean-arch-calls", maxAgeMs: 3_600_000 } as const;
