/**
 * What the command line has to say about a config, a flag, a folder or a project: one shape for all of it, as text
 * (`file:line:col: error <code> <key>: expected …, got …; hint`) or as one JSON object a line.
 */

export const diagnosticCodes = [
  // the command line and the folder
  "bad-flag",
  "more-messages",
  "file-not-found",
  "not-a-file",
  "folder-not-empty",
  "folder-not-writable",
  "folder-is-link",
  "not-a-folder",
  "not-a-project",
  "project-damaged",
  "edited-file",
  "left-over-file",
  "outdated-file",
  "migration-needed",
  "database-moved",
  "file-in-the-way",
  "busy-folder",
  // the file as bytes and as YAML
  "file-too-large",
  "not-utf8",
  "binary-file",
  "empty-file",
  "yaml-syntax",
  "yaml-tab",
  "yaml-tag",
  "yaml-version",
  "yaml-merge-key",
  "yaml-documents",
  "yaml-aliases",
  "yaml-depth",
  "duplicate-key",
  "forbidden-key",
  // keys and values against the schema
  "unknown-key",
  "missing-key",
  "wrong-type",
  "wrong-value",
  "out-of-range",
  // meaning
  "bad-name",
  "reserved-name",
  "duplicate-name",
  "unknown-service",
  "unknown-entity",
  "unknown-field",
  "unknown-stage",
  "reference-cycle",
  "saga-cycle",
  "bad-endpoint",
  "bad-url",
  "secret-in-config",
  "bad-header",
  "bad-pattern",
  "bad-default",
  "bad-schedule",
  "bad-expression",
  "misplaced-key",
  "bad-pivot",
  "nested-parallel",
  "pivoted-compensation",
  "unused-service",
  "interval-ignored",
  "sessions-apart",
  "timeout-exceeded",
  "sagas-disabled",
  "service-without-url",
  "not-available",
  "not-choreographed",
  "event-not-published",
  // findings of verify
  "missing-file",
  "bad-lock",
  "bad-settings",
  "bad-wiring",
  "missing-dependency",
  "layer-violation",
  "unreadable-source",
] as const;

export type DiagnosticCode = (typeof diagnosticCodes)[number];

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  /** As the user named it. */
  readonly file: string;
  /** From 1; columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** `session.context.ttl`, `long_running.tasks[0].name`; "" where no key is concerned. */
  readonly key: string;
  readonly expected: string;
  readonly got: string;
  /** What to do; the nearest valid name. */
  readonly hint?: string;
}

/** A refusal of input: the process ends with 2 (1 for findings about a project) and writes nothing. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: 1 | 2;

  constructor(diagnostics: readonly Diagnostic[], exitCode: 1 | 2 = 2) {
    super(bounded(diagnostics).map(renderText).join("\n"));
    this.diagnostics = diagnostics;
    this.exitCode = exitCode;
  }
}

/** A refusal about a path or a flag, where there is no line to point at. */
export function refusal(
  code: DiagnosticCode,
  file: string,
  expected: string,
  got: string,
  hint?: string,
  exitCode: 1 | 2 = 2,
): RefusedError {
  const place = { severity: "error", code, file, line: 1, column: 1, key: "" } as const;
  return new RefusedError([{ ...place, expected, got, ...(hint === undefined ? {} : { hint }) }], exitCode);
}

// Text from a stranger's file goes to a terminal: no escape sequence, no line break, no direction override gets there.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const GOT_MAX_LENGTH = 60;

/** A value as a message shows it: quoted, on one line, cut. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value !== "string") return String(value);
  const cut = value.length > GOT_MAX_LENGTH ? `${value.slice(0, GOT_MAX_LENGTH)}…` : value;
  return printable(JSON.stringify(cut));
}

export function renderText(diagnostic: Diagnostic): string {
  const { severity, code, file, line, column, key, expected, got, hint } = diagnostic;
  const subject = key === "" ? code : `${code} ${key}`;
  const tail = hint === undefined ? "" : `; ${hint}`;
  return printable(`${file}:${line}:${column}: ${severity} ${subject}: expected ${expected}, got ${got}${tail}`);
}

export const renderJson = (diagnostic: Diagnostic): string => JSON.stringify(diagnostic);

const MAX_SAID = 100;

/** What of them is said: all, or the first errors (else warnings) and how many more there are. */
export function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= MAX_SAID) return diagnostics;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const said = (errors.length > 0 ? errors : diagnostics).slice(0, MAX_SAID);
  const { severity, file, line, column } = said.at(-1) as Diagnostic;
  const place = { severity, file, line, column, key: "" };
  const more = `${diagnostics.length - said.length} more at least`;
  return [
    ...said,
    { ...place, code: "more-messages", expected: `at most ${MAX_SAID} messages`, got: more, hint: "mend these first" },
  ];
}

/** Errors first to last as the file has them; of two at one place the first reported. One place and code is said once. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter((diagnostic) => {
      const identity = renderText(diagnostic);
      return !seen.has(identity) && seen.add(identity);
    })
    .sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));
}

/** `--strict`: what would be a warning is an error. */
export const strict = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  diagnostics.map((diagnostic) => ({ ...diagnostic, severity: "error" }));

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some((diagnostic) => diagnostic.severity === "error");
