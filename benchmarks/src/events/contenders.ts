import { NATS_DURABILITY } from "../servers/nats.js";
import type { ActKind, EventScenario } from "./scenarios.js";

export type ContenderName =
  | "clean-arch-events"
  | "clean-arch-events-put"
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
const both = `${POSTGRES}; on its way in NATS: ${NATS_DURABILITY}`;
const bare = `NATS alone: ${NATS_DURABILITY}`;

const ofKind = (kind: ActKind) => (scenario: EventScenario) => scenario.kind === kind;
const events = { takes: ofKind("event") };
const sagas = { program: "ours/saga-styles.js", takes: ofKind("saga") };

export const CONTENDERS: readonly EventContender[] = [
  {
    ...{ ...events, name: "clean-arch-events", title: "clean-arch, committed with a row of the caller's" },
    ...{ program: "ours/outbox-events.js", args: ["within"], durability: both },
  },
  {
    ...{ ...events, name: "clean-arch-events-put", title: "clean-arch, committed alone" },
    ...{ program: "ours/outbox-events.js", args: ["put"], durability: both },
  },
  {
    ...{ ...events, name: "bare-jetstream", title: "bare JetStream, publish and pull" },
    ...{ program: "peers/bare-jetstream.js", args: [], durability: bare },
  },
  {
    ...{ ...sagas, name: "orchestrated-postgres", title: "clean-arch, orchestrated, PostgreSQL" },
    ...{ args: ["orchestration", "postgres"], durability: POSTGRES },
  },
  {
    ...{ ...sagas, name: "choreographed-postgres", title: "clean-arch, choreographed, PostgreSQL" },
    ...{ args: ["choreography", "postgres"], durability: POSTGRES },
  },
  {
    ...{ ...sagas, name: "choreographed-nats", title: "clean-arch, choreographed, PostgreSQL and NATS" },
    ...{ args: ["choreography", "nats"], durability: both },
  },
  {
    ...{ ...sagas, name: "bare-hops", title: "bare JetStream, a chain of as many hops" },
    ...{ program: "peers/bare-hops.js", args: [], durability: bare },
  },
  {
    ...{ ...sagas, name: "orchestrated-sqlite", title: "clean-arch, orchestrated, SQLite" },
    ...{ args: ["orchestration", "sqlite"], durability: SQLITE },
  },
  {
    ...{ ...sagas, name: "choreographed-sqlite", title: "clean-arch, choreographed, SQLite" },
    ...{ args: ["choreography", "sqlite"], durability: SQLITE },
  },
];
