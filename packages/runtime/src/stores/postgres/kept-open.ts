import type pg from "pg";
import { RuntimeError } from "../../errors.js";

const ENDS = /^\s*(?:commit|end|abort|prepare\s+transaction|rollback(?!(?:\s+(?:work|transaction))?\s+to\b))\b/i;

/**
 * The client of a transaction of several events, which none of them may end: it would commit that the others were handled before they are. Looks at
 * how a statement begins, as those who end one send it.
 */
export function keptOpen(client: pg.PoolClient): pg.PoolClient {
  const query = (...args: readonly unknown[]): unknown => {
    if (ENDS.test(textOf(args[0]))) throw endedByHandler();
    return Reflect.apply(client.query, client, args);
  };
  return new Proxy(client, {
    get: (target, name) => (name === "query" ? query : Reflect.get(target, name, target)),
  });
}

function textOf(query: unknown): string {
  if (typeof query === "string") return query;
  return typeof query === "object" && query !== null && "text" in query ? String(query.text) : "";
}

function endedByHandler(): RuntimeError {
  const message =
    "expected a handler of events to leave its transaction open, got a statement that ends it; return or throw instead, it is ended then";
  return new RuntimeError("definition-invalid", message);
}
