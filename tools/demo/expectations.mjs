import { isDeepStrictEqual } from "node:util";

export function expect(what, got, expected) {
  if (!isDeepStrictEqual(got, expected))
    fail(`expected ${what} to be ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  console.log(`  ok: ${what}: ${typeof got === "string" ? got : JSON.stringify(got)}`);
}

export function fail(message) {
  throw new Error(message);
}
