/** Of payload text in one statement: a batch of small rows fits whole, large ones travel a few at a time. */
const MAX_CHARACTERS = 4 * 1_048_576;

/** Splits a batch so that no piece holds more than the bound, unless it is a single element. */
export function inPieces<T>(batch: readonly T[], charactersOf: (element: T) => number): readonly (readonly T[])[] {
  const pieces: T[][] = [];
  let room = 0;
  for (const element of batch) {
    const characters = charactersOf(element);
    const last = pieces.at(-1);
    if (last === undefined || characters > room) {
      pieces.push([element]);
      room = MAX_CHARACTERS - characters;
    } else {
      last.push(element);
      room -= characters;
    }
  }
  return pieces;
}
