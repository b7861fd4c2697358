import type { ActKind, EventScenario } from "./scenarios.js";

export type ContenderName =
  | "clean-arch-events"
  | "clean-arch-events-within"
  | "bare-jetstream"
  | "orchestrated-postgres"
  | "choreographed-postgres"
  | "orchestrated-sqlite"
  | "choreographed-sqlite"
  | "choreographed-nats"
  | "bare-hops";

/** Who takes part, with what, and what is durable when an act has ended. The settings and their reasons stand in each program. */
export interface EventContender {
  readonly name: ContenderName;
  readonly title: string;
  /** Compiled program relative to `dist/`, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly durability: string;
  /** What this contender is measured in. */
  readonly takes: (scenario: EventScenario) => boolean;
}

const POSTGRES = "PostgreSQL, fsync and synchronous_commit on";
const SQLITE = "SQLite, write-ahead log, synchronous=FULL";
const both = `${POSTGRES}; what NATS loses is sent again from there`;
const bare = "NATS alone";

const ofKind = (kind: ActKind) => (scenario: EventScenario) => scenario.kind === kind;
const events = { takes: ofKind("event") };
const sagas = { program: "ours/saga-styles.js", takes: ofKind("saga") };

export const CONTENDERS: readonly EventContender[] = [
  {
    ...{ ...events, name: "clean-arch-events", title: "clean-arch, events" },
    ...{ program: "ours/outbox-events.js", args: ["alone"], durability: both },
  },
  {
    ...{ ...events, name: "clean-arch-events-within", title: "clean-arch, events in transactions of the caller's" },
    ...{ program: "ours/outbox-events.js", args: ["within"], durability: both },
  },
  {
    ...{ ...events, name: "bare-jetstream", title: "bare JetStream, events" },
    ...{ program: "peers/bare-jetstream.js", args: [], durability: bare },
  },
  {
    ...{ ...sagas, name: "orchestrated-postgres", title: "clean-arch, orchestrated sagas, PostgreSQL" },
    ...{ args: ["orchestration", "postgres"], durability: POSTGRES },
  },
  {
    ...{ ...sagas, name: "choreographed-postgres", title: "clean-arch, choreographed sagas, PostgreSQL" },
    ...{ args: ["choreography", "postgres"], durability: POSTGRES },
  },
  {
    ...{ ...sagas, name: "choreographed-nats", title: "clean-arch, choreographed sagas, PostgreSQL and NATS" },
    ...{ args: ["choreography", "nats"], durability: both },
  },
  {
    ...{ ...sagas, name: "bare-hops", title: "bare JetStream, chains of as many hops" },
    ...{ program: "peers/bare-hops.js", args: [], durability: bare },
  },
  {
    ...{ ...sagas, name: "orchestrated-sqlite", title: "clean-arch, orchestrated sagas, SQLite" },
    ...{ args: ["orchestration", "sqlite"], durability: SQLITE },
  },
  {
    ...{ ...sagas, name: "choreographed-sqlite", title: "clean-arch, choreographed sagas, SQLite" },
    ...{ args: ["choreography", "sqlite"], durability: SQLITE },
  },
];
