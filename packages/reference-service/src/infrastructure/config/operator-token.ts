import type { ConfigIssue } from "./config-error.js";

/** The longest token that a request is looked at for; see callers.ts. */
const MAX_LENGTH = 512;
/** What looks like it is looked for among the sessions. */
const SESSION_TOKEN = /^[A-Za-z0-9_-]{80}$/;

/** A token that no request could carry, or anybody could guess, is refused; its text is not shown. */
export function operatorTokenIssues(token: string): ConfigIssue[] {
  const wrong =
    token.length < 16
      ? "a shorter one"
      : token.length > MAX_LENGTH
        ? "a longer one"
        : /^[\x21-\x7e]*$/.test(token)
          ? SESSION_TOKEN.test(token)
            ? "one of 80, in the form of a session's token"
            : undefined
          : "one with other characters";
  if (wrong === undefined) return [];
  const expected = `a token of 16 to ${MAX_LENGTH} printable ASCII characters without spaces`;
  return [{ source: "environment variable OPERATOR_TOKEN", key: "OPERATOR_TOKEN", expected, got: wrong }];
}
