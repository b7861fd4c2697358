import { Problem } from "./problem.js";

const TAGS = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/;

/**
 * The revisions an `If-Match` allows; undefined: any. Tags that are not ours, and weak ones, match nothing. A header
 * that is no list of tags is refused with 400: taking it for "any" would overwrite what its sender wanted to protect.
 */
export function matchingRevisions(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  if (header.length > 1000 || !TAGS.test(header)) {
    throw new Problem(400, "malformed-header", 'Expected If-Match to be a revision in quotes, as "3".');
  }
  return header.split(",").flatMap((tag) => {
    const match = /^\s*"(\d{1,15})"\s*$/.exec(tag);
    return match === null ? [] : [Number(match[1])];
  });
}

export const etagOf = (revision: number): string => `"${revision}"`;
