/**
 * Reading JSON bodies. A body that is not JSON is 400; one that is JSON but holds what nothing behind this point can
 * keep (keys that reach a prototype, NUL, lone surrogates, numbers beyond a double, more than 64 levels) is 422.
 */
import type { FastifyInstance } from "fastify";
import type { Violation } from "../../application/errors.js";
import { Problem } from "./problem.js";

const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);
const decoder = new TextDecoder("utf-8", { fatal: true });

export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const types = ["application/json", "application/merge-patch+json"];
  app.addContentTypeParser(types, { parseAs: "buffer" }, (request, body, done) => {
    try {
      refuseEncoding(request.headers["content-encoding"]);
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Unpacked here, a small body could become one over every limit. */
function refuseEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === "identity") return;
  throw new Problem(415, "unsupported-media-type", "Send the body without a Content-Encoding.", {
    headers: { "accept-encoding": "identity" },
  });
}

function parseJson(body: Buffer): unknown {
  // Clients send the media type with every call; an empty body means that there is none.
  if (body.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    throw new Problem(400, "malformed-json", "Expected a JSON body in UTF-8, got something else.");
  }
  const violation = value === null ? { path: "", message: "expected an object" } : firstViolation(value);
  if (violation !== undefined)
    throw new Problem(422, "validation-failed", "The body cannot be kept.", { errors: [violation] });
  return value;
}

/** Iterative, because a body may nest deeper than the call stack. */
function firstViolation(root: unknown): Violation | undefined {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: root, path: "", depth: 0 }];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const { value, path, depth } = entry;
    if (depth > MAX_DEPTH) return { path: path.slice(0, 80), message: `expected at most ${MAX_DEPTH} levels` };
    if (typeof value === "string" && !isKept(value)) return { path, message: "expected Unicode without NUL" };
    if (typeof value === "number" && !Number.isFinite(value))
      return { path, message: "expected a number within ±1.8e308" };
    if (typeof value !== "object" || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      const at = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      if (FORBIDDEN_KEYS.has(key) && !Array.isArray(value)) return { path: at, message: "expected another key" };
      if (!isKept(key)) return { path, message: "expected keys of Unicode without NUL" };
      open.push({ value: item, path: at, depth: depth + 1 });
    }
  }
  return undefined;
}

const isKept = (text: string): boolean => !text.includes("\0") && text.isWellFormed();
