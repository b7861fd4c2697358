/** Names of the signals that random sagas wait for: few, so that several steps want the same. */
export const SIGNALS = ["go", "stop"] as const;
