import { RuntimeError } from "../../errors.js";
import { isOfContext, isOfSubject, subjectTag, tagOf } from "../../store/session-id.js";

/**
 * Where a session lies. All keys that one step touches share a hash tag, the bucket, so that Redis Cluster keeps them in one slot;
 * a subject's sessions and its epoch are in one bucket because their ids begin with the subject's tag. What keys there are
 * stands in lua/redis/record.lua.
 */
export const BUCKETS = 256;

/** Of the tag's characters (FNV-1a, 32 bit): even, fast, and the same for ever. */
function bucketOf(tag: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < tag.length; at += 1) hash = Math.imul(hash ^ tag.charCodeAt(at), 0x01000193);
  return BUCKET_NAMES[(hash ^ (hash >>> 15)) & (BUCKETS - 1)] as string;
}

const BUCKET_NAMES: readonly string[] = Array.from({ length: BUCKETS }, (_, n) => n.toString(16).padStart(2, "0"));

export class Keys {
  readonly #prefix: string;
  /** What the keys of each bucket begin with. */
  readonly bases: readonly string[];

  /** Error: `config-invalid` for a prefix with a hash tag that would not be one, or that is not text without spaces. */
  constructor(prefix: string) {
    const braces = prefix.replace(/[^{}]/g, "");
    if (!/^[\x21-\x7e]{0,200}$/.test(prefix) || (braces !== "" && !/^[^{}]*\{[^{}]+\}[^{}]*$/.test(prefix))) {
      const expected = "at most 200 visible ASCII characters, with no braces or with one pair that holds a hash tag";
      const message = `expected session.context.prefix to be ${expected}, got ${JSON.stringify(prefix)}`;
      throw new RuntimeError("config-invalid", message, { key: "session.context.prefix" });
    }
    this.#prefix = prefix;
    this.bases = BUCKET_NAMES.map((name) => `${prefix}{${name}}:`);
  }

  /** Of the bucket of a session. */
  base(id: string): string {
    return `${this.#prefix}{${bucketOf(tagOf(id))}}:`;
  }

  baseOfSubject(subject: string): string {
    return `${this.#prefix}{${bucketOf(subjectTag(subject))}}:`;
  }
}

export function recordKey(base: string, id: string): string {
  return `${base}s:${id}`;
}

export function epochKey(base: string, tag: string): string {
  return `${base}e:${tag}`;
}

/** All that a change of a session touches, the record first. */
export function keysOf(base: string, id: string): readonly string[] {
  const lists = [`${base}${isOfContext(id) ? "c" : "l"}`, `${base}d`];
  if (!isOfSubject(id)) return [recordKey(base, id), ...lists];
  const tag = tagOf(id);
  return [recordKey(base, id), epochKey(base, tag), indexKey(base, tag), ...lists];
}

export function indexKey(base: string, tag: string): string {
  return `${base}i:${tag}`;
}
