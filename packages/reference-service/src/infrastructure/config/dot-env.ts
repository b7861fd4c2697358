/**
 * The subset of `.env` files that everybody agrees on: `NAME=value`, `#` comments, optional quotes around the value.
 * Lines that are none of these are reported by number, without their content: it may be a secret.
 */
export function parseDotEnv(text: string): {
  readonly values: Record<string, string>;
  readonly brokenLines: readonly number[];
} {
  const values: Record<string, string> = {};
  const brokenLines: number[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined) brokenLines.push(index + 1);
    else values[match[1]] = unquote(match[2] ?? "");
  }
  return { values, brokenLines };
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  if (quoted?.[2] !== undefined) return quoted[2];
  return value.replace(/\s+#.*$/, "");
}
