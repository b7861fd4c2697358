/** A step of an item, `items[<key>]/<stage>`, taken apart; null: a step of the run itself. */
export function itemOf(step: string): { readonly item: string; readonly stage: string } | null {
  const parts = /^items\[(.*)\]\/([^/]+)$/s.exec(step);
  return parts === null ? null : { item: parts[1] ?? "", stage: parts[2] ?? "" };
}
