/** What a ratio says, what it has to reach (null: it is published beside the others), and which way is good. */
export interface Target {
  readonly text: string;
  readonly at: number | null;
  readonly least: boolean;
}

export type Targets<Name extends string> = Readonly<Record<Name, Target>>;
export type Ratios<Name extends string> = Readonly<Record<Name, number | null>>;

/** Null when one of its two sides was not measured. */
export function quotient(a: number | undefined, b: number | undefined): number | null {
  return a === undefined || b === undefined || b === 0 ? null : Number((a / b).toPrecision(3));
}

/** Rows of a table: name, measured, to reach, what it says. */
export function ratioRows(
  targets: Targets<string>,
  ratios: Ratios<string>,
  nameCell: (name: string) => string = (name) => name,
): string[][] {
  return Object.entries(targets).map(([name, { text, at, least }]) => {
    const value = ratios[name] ?? null;
    const reach = at === null ? "" : `${least ? "at least" : "at most"} ${at}`;
    return [nameCell(name), value === null ? "not measured" : `${value}`, reach, text];
  });
}
