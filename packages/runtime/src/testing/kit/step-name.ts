/** Of a stage as participants know it: `charge`, and also of an item of a list, or of a batch, `items[3]/charge`. */
export function stepNameOf(stage: string): string {
  return /^items\[.*\]\/(.+)$/.exec(stage)?.[1] ?? stage;
}
