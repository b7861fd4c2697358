/** A config as data with places: plain values, each knowing where in the file it stands. No YAML left in it. */
export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface MapNode extends Place {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, { readonly key: Place; readonly value: Node }>;
}

export interface ListNode extends Place {
  readonly kind: "list";
  readonly items: readonly Node[];
}

export interface ScalarNode extends Place {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
}

export type Node = MapNode | ListNode | ScalarNode;

export type Path = readonly (string | number)[];

const PART_MAX_LENGTH = 64;

const cut = (name: string): string => (name.length > PART_MAX_LENGTH ? `${name.slice(0, PART_MAX_LENGTH)}…` : name);

/** `long_running.tasks[0].name` */
export const pathText = (path: Path): string =>
  path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? cut(part) : `.${cut(part)}`)).join("");

const child = (node: Node | undefined, part: string | number): Node | undefined => {
  if (node?.kind === "map" && typeof part === "string") return node.entries.get(part)?.value;
  if (node?.kind === "list" && typeof part === "number") return node.items[part];
  return undefined;
};

export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path) node = child(node, part);
  return node;
}

export const isWritten = (root: Node, path: Path): boolean => nodeAt(root, path) !== undefined;

/** Where a path's value stands; the nearest thing around it when the file does not have it. */
export function placeOfValue(root: Node, path: Path): Place {
  let node = root;
  for (const part of path) {
    const next = child(node, part);
    if (next === undefined) break;
    node = next;
  }
  return node;
}

/** Where a path's key stands; for an item of a list, the item. */
export function placeOfKey(root: Node, path: Path): Place {
  const node = nodeAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (node?.kind === "map" && typeof last === "string") {
    const entry = node.entries.get(last);
    if (entry !== undefined) return entry.key;
  }
  return placeOfValue(root, path);
}

/** The plain value, mappings without a prototype. */
export function plainValue(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainValue);
  const value: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) value[key] = plainValue(entry.value);
  return value;
}
