import { Problem } from "./problem.js";

/** The revision that `If-Match: "<revision>"` names; undefined without the header or with `*`. */
export function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const match = /^\s*"(\d{1,15})"\s*$/.exec(header);
  if (match?.[1] === undefined) throw new Problem(400, "malformed-header", 'Expected If-Match: "<revision>".');
  return Number(match[1]);
}

export const etagOf = (revision: number): string => `"${revision}"`;
