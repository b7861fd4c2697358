/** What this process's relay has done since it started, for metrics. */
export class RelayCounts {
  /** Events that the broker stored, again ones included. */
  published = 0;
  /** Events that the broker will never take. */
  parked = 0;
  /** Times that a shard went back, because the broker had lost what it had taken. */
  rewound = 0;
}
