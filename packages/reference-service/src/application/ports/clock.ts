/** The time, as a port: tests and simulations bring their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}
