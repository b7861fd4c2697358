import { RuntimeError } from "../../errors.js";
import type { Database } from "./database.js";

/**
 * Applies a batch in one transaction: one commit, one fsync. What encoding refuses is answered alone (`rejected`). When a
 * statement fails on an element, the whole batch is undone and sent again element by element, so that only the bad one
 * is rejected. Throws `store-unavailable` when the file does not answer: the effect is then unknown to the caller.
 */
export function applyBatch<Element, Result>(
  db: Database,
  elements: readonly Element[],
  apply: (element: Element) => Result,
  reject: (reason: string) => Result,
): Result[] {
  const applyOrReject = (element: Element): Result => {
    try {
      return apply(element);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "input-invalid") return reject(error.message);
      throw error;
    }
  };
  if (elements.length === 0) return [];
  try {
    return db.transaction(() => elements.map(applyOrReject));
  } catch (error) {
    if (!isStatementFault(error)) throw error;
  }
  return elements.map((element) => {
    try {
      return db.transaction(() => applyOrReject(element));
    } catch (error) {
      if (!isStatementFault(error)) throw error;
      return reject(error.message);
    }
  });
}

function isStatementFault(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && error.code === "internal" && "sqlite" in error.details;
}
