import type { Repositories, UseCases } from "../../application/use-cases/use-cases.generated.js";
import type { OpenedDatabase } from "../persistence/database.js";
import { repositoriesIn } from "../persistence/postgres/repositories.generated.js";
import { queriesWithin, type TransactionClient } from "../persistence/postgres/within.js";
import type { TellerOn } from "../persistence/repositories.js";
import type { UseCasesWithin } from "./handled-events.js";

/**
 * Use cases for the handling of one event, in the transaction that says that it was handled. Null on SQLite, where a
 * transaction cannot stay open while a handler waits for something: there the two are kept one after the other.
 */
export function useCasesWithin(
  opened: OpenedDatabase,
  useCasesOf: (repositories: Repositories) => UseCases,
  tellerOn?: TellerOn,
): UseCasesWithin | null {
  if (opened.driver === "sqlite") return null;
  return (client) => {
    const queries = queriesWithin(client as TransactionClient);
    const teller = tellerOn === undefined ? {} : { teller: tellerOn(opened, queries) };
    return useCasesOf(repositoriesIn(Object.assign(queries, teller)));
  };
}
