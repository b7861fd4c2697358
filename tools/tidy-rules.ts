import { posix } from "node:path";

/**
 * Rules of the house that no other tool checks. Each takes the files of the repository as data and returns one sentence
 * per finding, none when all is well; `tidy.test.ts` runs them on this repository and on planted violations.
 */
export interface TidyFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

type Rule = (files: readonly TidyFile[]) => string[];

const MAX_LINES = 400;

/** Files allowed to be longer than 400 lines, each with the reason. An entry that is no longer needed is a finding. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const isSource = (path: string): boolean => /\.(ts|tsx|js|mjs|cjs|sql)$/.test(path);
const isMarkdown = (path: string): boolean => path.endsWith(".md");

export function tooLong(files: readonly TidyFile[], allowed = LONG_FILES): string[] {
  const long = new Map<string, number>();
  for (const { path, text } of files.filter(({ path }) => isSource(path))) {
    const lines = text.replace(/\n$/, "").split("\n").length;
    if (lines > MAX_LINES) long.set(path, lines);
  }
  const unlisted = [...long].filter(([path]) => !allowed[path]);
  const stale = Object.keys(allowed).filter((path) => !long.has(path));
  return [
    ...unlisted.map(
      ([path, lines]) => `${path}: expected at most ${MAX_LINES} lines, got ${lines}; split it by concept`,
    ),
    ...stale.map((path) => `${path}: listed as a long file, but it is not (any more); drop the entry`),
  ];
}

const DRAWERS = new Set(["utils", "util", "helpers", "helper", "types", "common", "misc"]);

export const drawers: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path) && path.split("/").some((part) => DRAWERS.has(part.split(".")[0] ?? "")))
    .map(
      ({ path }) => `${path}: expected a name for one concept, got the name of a drawer; name it after what it holds`,
    );

/** A marker must say what is missing and why it may wait, in at least three words after a colon. (Brackets: not itself.) */
const MARKER = /\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b(?!: \S+ \S+ \S+)/;

export const bareMarkers: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .flatMap((file) => matchesByLine(file, MARKER, "a marker that says what is missing and why it may wait"));

const MACHINE = [
  {
    pattern: /(?<![\w.~})\]-])\/(work\/|root\/|Users\/|home\/(?!node\/))/,
    expected: "no absolute path of one machine",
  },
  { pattern: /\bregistry\.(npmjs|yarnpkg|npmmirror)\.\w+/i, expected: "no host of a package registry" },
  { pattern: /"resolved": "https?:|https?:\/\/[^\s"'`]+\.tgz\b/, expected: "no address of a package's tarball" },
] as const;

export const machineTraces: Rule = (files) =>
  files.flatMap((file) => MACHINE.flatMap(({ pattern, expected }) => matchesByLine(file, pattern, expected)));

/** Every relative link of a Markdown file leads to a file or folder of the repository, and its anchor to a heading. */
export const brokenLinks: Rule = (files) => {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const folders = new Set(files.flatMap(({ path }) => ancestors(path)));
  return files
    .filter(({ path }) => isMarkdown(path))
    .flatMap(({ path, text }) =>
      links(text).flatMap((link) => {
        const [to = "", anchor] = link.split("#");
        const target =
          to === "" ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(to))).replace(/\/$/, "");
        if (!texts.has(target) && !folders.has(target)) return [`${path}: link to ${link} leads nowhere`];
        const broken = anchor !== undefined && isMarkdown(target) && !anchors(texts.get(target) ?? "").has(anchor);
        return broken ? [`${path}: link to ${link} names a heading that ${target} does not have`] : [];
      }),
    );
};

const DECISIONS = "docs/decisions/";

/** Records are numbered 0001, 0002, ... without gaps, and each is linked from the index. */
export const decisionRecords: Rule = (files) => {
  const folder = files.filter(({ path }) => path.startsWith(DECISIONS) && isMarkdown(path));
  const index = folder.find(({ path }) => path === `${DECISIONS}README.md`)?.text ?? "";
  const records = folder
    .map(({ path }) => path.slice(DECISIONS.length))
    .filter((name) => name !== "README.md")
    .sort();
  return records.flatMap((name, i) => {
    const number = String(i + 1).padStart(4, "0");
    const findings = [];
    if (!name.startsWith(`${number}-`)) findings.push(`${DECISIONS}${name}: expected the next number, ${number}`);
    if (!index.includes(`](${name})`)) findings.push(`${DECISIONS}${name}: expected a link from ${DECISIONS}README.md`);
    return findings;
  });
};

function matchesByLine({ path, text }: TidyFile, pattern: RegExp, expected: string): string[] {
  return text.split("\n").flatMap((line, i) => {
    const match = pattern.exec(line);
    return match ? [`${path}:${i + 1}: expected ${expected}, got ${match[0]}`] : [];
  });
}

function ancestors(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return [".", ...parts.map((_, i) => parts.slice(0, i + 1).join("/"))];
}

/** Targets of inline links and images outside of code, without the ones that have a scheme. */
function links(markdown: string): string[] {
  const prose = withoutFences(markdown).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target));
}

/** Anchors of a file's headings, as the usual renderers make them. */
function anchors(markdown: string): Set<string> {
  const headings = [...withoutFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => match[1] ?? "");
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replace(/ /g, "-"),
    ),
  );
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1\s*$/gm, "");
}
