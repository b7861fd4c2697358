import { createHash } from "node:crypto";

const PLAIN = /^[A-Za-z0-9_.~:@-]{1,200}$/;
const LONGEST = 200;

/**
 * An act for an item, as participants know it: `items[<key>]/<stage>`. It travels in headers, so what is not plain in a key is escaped as in
 * a url, and a key that is long then is known by its hash.
 */
export function itemStage(key: string, stage: string): string {
  return `items[${PLAIN.test(key) ? key : escaped(key)}]/${stage}`;
}

function escaped(key: string): string {
  const text = encodeURIComponent(key);
  if (text.length <= LONGEST) return text;
  return `sha256-${createHash("sha256").update(key).digest("hex")}`;
}
