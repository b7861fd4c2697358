/** What every rule is given: a config of which wrong parts may be missing, and a way to report at a key or a value. */
import type { DiagnosticCode } from "../../diagnostics.js";
import { shown } from "../../diagnostics.js";
import { type NameKind, type Names, namesOf, reservedBecause } from "../../naming.js";
import type { Node, Path } from "../node.js";
import type { Config } from "../schema.js";

/** A value whose wrong parts validation left out. */
export type Loose<T> = T extends readonly (infer Item)[]
  ? readonly (Loose<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> | undefined }
    : T;

export type LooseConfig = Loose<Config>;
export type LooseTask = NonNullable<NonNullable<NonNullable<LooseConfig["long_running"]>["tasks"]>[number]>;
export type LooseStage = NonNullable<NonNullable<LooseTask["stages"]>[number]>;

export interface Finding {
  readonly code: DiagnosticCode;
  readonly path: Path;
  /** Where to point: at the path's key, or (default) at its value. */
  readonly at?: "key" | "value";
  readonly severity?: "error" | "warning";
  readonly expected: string;
  readonly got: string;
  readonly hint?: string;
}

export interface RuleInput {
  readonly config: LooseConfig;
  /** The file as written, for what normalization hides. */
  readonly root: Node;
  readonly report: (finding: Finding) => void;
}

export type Rule = (input: RuleInput) => void;

export interface Named {
  readonly name: string;
  readonly path: Path;
  readonly at?: "key" | "value";
}

/** `a_1` and `a1` differ as files and columns, and are one name in TypeScript. */
const identitiesOf = ({ snake, camel }: Names): string[] => [snake, camel];

/** Reserved words, and names that are one name in some case of one scope. */
export function checkNames(
  report: RuleInput["report"],
  kind: NameKind,
  named: readonly Named[],
  moreIdentities: (names: Names) => string[] = () => [],
): void {
  const seen = new Map<string, string>();
  for (const { name, path, at = "value" } of named) {
    const because = reservedBecause(name, kind);
    if (because !== null) {
      report({
        code: "reserved-name",
        path,
        at,
        expected: `another name for the ${kind}`,
        got: shown(name),
        hint: because,
      });
    }
    const names = namesOf(name);
    const identities = [...identitiesOf(names), ...moreIdentities(names)];
    const first = identities.map((identity) => seen.get(identity)).find((found) => found !== undefined);
    for (const identity of identities) if (!seen.has(identity)) seen.set(identity, name);
    if (first !== undefined) {
      const same = first === name ? "it is there already" : `it becomes the same name as ${first}`;
      report({ code: "duplicate-name", path, at, expected: `each ${kind} once`, got: shown(name), hint: same });
    }
  }
}

export const present = <T>(items: readonly (T | undefined)[] | undefined): { item: T; i: number }[] =>
  (items ?? []).flatMap((item, i) => (item === undefined ? [] : [{ item, i }]));
