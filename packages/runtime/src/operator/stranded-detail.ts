import type { DefinitionRef, RunStore } from "../store/run-store.js";

/** Definitions of stranded runs that health names. */
const MAX_NAMED = 10;

/** Runs left alone because nobody here has their definition: said, not hidden. Null: there are none. */
export async function strandedDetail(
  store: Pick<RunStore, "stranded">,
  known: readonly DefinitionRef[],
): Promise<string | null> {
  const stranded = await store.stranded(known);
  if (stranded.length === 0) return null;
  const named = stranded
    .slice(0, MAX_NAMED)
    .map(({ definition, version, runs }) => `${definition}@${version} (${runs})`);
  const more = stranded.length > MAX_NAMED ? `, and ${stranded.length - MAX_NAMED} more` : "";
  return `runs wait for definitions that are not registered here: ${named.join(", ")}${more}`;
}
