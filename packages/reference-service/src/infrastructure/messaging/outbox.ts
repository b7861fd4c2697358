/**
 * Changes of entities as domain events. An event is written with the row that it tells of, in one transaction: it leaves if
 * and only if the row was committed. Those of one entity leave in the order of its changes.
 */
import { cloudEvent, type EventMessage, type EventStore, eventMessage } from "@clean-arch/runtime";
import { viewOf } from "../../application/entity-view.js";
import type { OpenedDatabase } from "../persistence/database.js";
import { postgresTeller } from "../persistence/postgres/teller.js";
import type { TellerOn } from "../persistence/repositories.js";
import { sqliteTeller } from "../persistence/sqlite/teller.js";
import type { Change, Queries, Teller } from "../persistence/table.js";
import { currentCause } from "./cause.js";

/** What is published of the rows of one table. */
export interface PublishedTable {
  /** How the type of its events begins: `order_line`. */
  readonly entity: string;
  readonly changes: readonly Change["kind"][];
  /** The names of the fields in the event, by property. */
  readonly keys: Readonly<Record<string, string>>;
}

export type PublishedTables = Readonly<Record<string, PublishedTable>>;

export interface Outbox {
  readonly tellerOn: TellerOn;
  /** Events that this process has committed since it started, by type. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface OutboxParts {
  readonly store: Pick<EventStore, "putWithin">;
  readonly tables: PublishedTables;
  /** The service's name. */
  readonly name: string;
}

export function createOutbox({ store, tables, name }: OutboxParts): Outbox {
  const counts = new Map<string, number>();
  const messages = (table: string, change: Change): EventMessage[] => {
    const published = tables[table];
    return published?.changes.includes(change.kind) ? [messageOf(name, published, change)] : [];
  };
  return {
    counts,
    tellerOn(opened, queries) {
      const teller = tellerIn(opened, queries, store, messages);
      return {
        async write(statement, table, change) {
          const published = tables[table];
          if (!published?.changes.includes(change.kind))
            return Number((await queries.executeQuery(statement)).numAffectedRows ?? 0n);
          const changed = await teller.write(statement, table, change);
          const type = `${published.entity}.${change.kind}`;
          if (changed > 0) counts.set(type, (counts.get(type) ?? 0) + 1);
          return changed;
        },
      };
    },
  };
}

function tellerIn(
  opened: OpenedDatabase,
  queries: Queries,
  store: Pick<EventStore, "putWithin">,
  messages: (table: string, change: Change) => EventMessage[],
): Teller {
  if (opened.driver === "postgres")
    return postgresTeller(queries, async (client, table, change) => store.putWithin(client, messages(table, change)));
  return sqliteTeller(queries, opened.database, (client, table, change) => {
    // On SQLite it has happened when the call returns.
    void store.putWithin(client, messages(table, change));
  });
}

function messageOf(name: string, { entity, keys }: PublishedTable, change: Change): EventMessage {
  const id = change.kind === "deleted" ? change.id : change.entity.id;
  const event = cloudEvent({
    source: `/services/${name}`,
    type: `${entity}.${change.kind}`,
    subject: id,
    data: change.kind === "deleted" ? { id } : viewOf(keys)(change.entity),
    ...currentCause(),
    ...(change.kind === "updated" && { extensions: { replaces: change.former } }),
  });
  return eventMessage(event);
}
