/** What SQLite says when a constraint forbids a write; both drivers pass its words on. */
export type Constraint =
  | { readonly kind: "unique"; readonly index: string | null; readonly columns: readonly string[] }
  | { readonly kind: "reference" };

/** Null when the error is something else. */
export function constraintOf(error: unknown): Constraint | null {
  const message = error instanceof Error ? error.message : "";
  if (message.includes("FOREIGN KEY constraint failed")) return { kind: "reference" };
  const unique = /UNIQUE constraint failed: (?:index '(.+)'|(.+))$/.exec(message);
  if (unique === null) return null;
  const [, index = null, columns = ""] = unique;
  return { kind: "unique", index, columns: columns.split(", ").map((column) => column.slice(column.indexOf(".") + 1)) };
}
