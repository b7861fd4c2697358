/**
 * Each item of a step that maps over a list is a step of its own in the journal and in keys, named by its path: item 3 of the
 * step `charge` is `items[3]/charge`. No step's own name looks like that.
 */
const PATH = /^items\[(\d+)\]\/(.+)$/;

export function itemPath(step: string, index: number): string {
  return `items[${index}]/${step}`;
}

/** Null: the path is a step's own name. */
export function parseItemPath(path: string): ItemPlace | null {
  const match = path.startsWith("items[") ? PATH.exec(path) : null;
  return match === null ? null : { step: match[2] ?? "", index: Number(match[1]) };
}

/** The step's own name; of an item, also of a batch's (`items[<key>]/<step>`), the name of its step. */
export function stepOfItem(path: string): string {
  return path.startsWith("items[") ? path.slice(path.lastIndexOf("]/") + 2) : path;
}

export interface ItemPlace {
  readonly step: string;
  /** In the list, from 0 on. */
  readonly index: number;
}
