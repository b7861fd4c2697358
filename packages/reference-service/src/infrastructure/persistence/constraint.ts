/** A constraint that forbids a write: the unique index by its name, or by its columns when it has none that is known. */
export type Constraint =
  | { readonly kind: "unique"; readonly index: string | null; readonly columns: readonly string[] }
  | { readonly kind: "reference" };
