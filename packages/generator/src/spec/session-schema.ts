import { choice, duration, flag, integer, optional, section, text } from "./keywords.js";

/** The session block of the config file; the rest of it is schema.ts. */
export const session = section(
  "Sessions: the context of every run, and how runs are kept, snapshotted and recovered.",
  {
    saga: section("How workflows run.", {
      enabled: flag("False: none of its code and routes.", true),
      orchestration: choice(
        "orchestration: a coordinator calls the participants. choreography: they react to each other's events.",
        ["orchestration", "choreography"],
        "orchestration",
      ),
      timeout: duration("Time for a whole run, unless its task says otherwise.", 300),
    }),
    context: section("The JSON that the steps of a run share.", {
      storage: choice(
        "Where sessions and contexts live. sqlite stands in for redis outside production when no redis url is set.",
        ["redis", "sqlite", "memory", "postgres"],
        "redis",
      ),
      ttl: duration("Lifetime without use.", 3600),
      absolute_ttl: duration("Lifetime in any case.", 86_400),
      prefix: text("Put before every key in Redis; others who use the same one share the sessions.", {
        // Braces, at most one pair, are a hash tag of Redis Cluster.
        pattern: "^[A-Za-z0-9._:/-]*([{][A-Za-z0-9._:/-]+[}][A-Za-z0-9._:/-]*)?$",
        minLength: 1,
        maxLength: 100,
        default: "session:",
      }),
      encryption: section("Encryption at rest (AES-256-GCM) of what sessions and contexts hold.", {
        enabled: flag("True: on. The keys come from SESSION_ENCRYPTION_KEYS, in the environment only.", false),
      }),
    }),
    checkpoint: section("Durable snapshots of the context.", {
      enabled: flag("False: no snapshots.", true),
      interval: optional(duration("Seconds between snapshots for time, completed steps for count. Default 30.")),
      strategy: choice("When a snapshot is taken.", ["time", "step", "count", "manual"], "time"),
      max_retries: integer("Further attempts to write a snapshot.", 0, 100, 3),
      keep: integer("Snapshots kept for each run.", 1, 1000, 10),
    }),
    recovery: section("What happens when a step fails or a process dies.", {
      enabled: flag("False: one attempt, then failed.", true),
      strategy: choice(
        "When attempts are spent. compensate: unwind. retry: go on until the run's timeout. manual: park for an operator.",
        ["compensate", "retry", "manual"],
        "compensate",
      ),
      max_attempts: integer("Attempts in all; the first try counts.", 1, 1000, 5),
      backoff: choice("How the delay grows.", ["exponential", "linear", "fixed"], "exponential"),
      initial_delay: duration("Delay before the second attempt.", "1s"),
      max_delay: duration("Upper bound of the delay.", "60s"),
      jitter: choice("full: a random delay between zero and the computed one.", ["full", "none"], "full"),
      lease: duration("How long a worker may go unheard before its runs are taken over.", "10s"),
      max_crashes: integer(
        "How often a process may die of one run, driven apart from the others by then, before it is parked as stuck.",
        1,
        1000,
        3,
      ),
    }),
    retention: section("How long runs are kept after their end.", {
      enabled: flag("False: ended runs are kept for ever.", true),
      ended: duration("Age of a run that has ended at which it is deleted, with its journal and its key.", "720h"),
    }),
    cookie: section("The cookie of a user's session. It is always HttpOnly, of the path / and of this host alone.", {
      name: text(
        "Its name; in production __Host- is put before it. One that begins with __Host- is the same everywhere, and Secure.",
        { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", minLength: 1, maxLength: 100, default: "session" },
      ),
      same_site: choice(
        "When browsers send it from pages of other sites. none: always, which makes it Secure outside production, too.",
        ["strict", "lax", "none"],
        "lax",
      ),
    }),
    rotation: section("Exchange of tokens.", {
      period: optional(
        duration("Age at which the token in a cookie is exchanged. Default: it is not, unless asked for."),
      ),
      grace_period: duration(
        "How long the token before is still taken, so that requests under way are not logged out.",
        30,
      ),
    }),
    limits: section("Bounds of sessions.", {
      per_subject: optional(integer("Live sessions one subject may have. Default: any number.", 1, 10_000)),
      policy: choice(
        "What becomes of one more. evict_oldest: the oldest makes room. deny: it is refused with 409.",
        ["evict_oldest", "deny"],
        "evict_oldest",
      ),
    }),
  },
);
