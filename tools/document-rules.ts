import type { TidyFile } from "./tidy-rules.js";

/**
 * What documents promise: their commands exist, and what they quote is what is there. Each rule gives one sentence per
 * finding; `documents.test.ts` runs them on this repository and on planted violations.
 */

interface Fence {
  /** What follows the backticks: the language, and perhaps the file that is quoted. */
  readonly info: string;
  readonly body: string;
  readonly where: string;
}

/** The fenced blocks of a Markdown file. */
export function fences({ path, text }: TidyFile): Fence[] {
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: (match[1] ?? "").trim(),
    body: match[2] ?? "",
    where: `${path}:${text.slice(0, match.index).split("\n").length}`,
  }));
}

export interface Commands {
  /** npm scripts of the repository and of generated projects. */
  readonly scripts: ReadonlySet<string>;
  /** Targets of a generated Makefile. */
  readonly targets: ReadonlySet<string>;
  /** Of clean-arch-generator. */
  readonly subcommands: ReadonlySet<string>;
}

/** Every `npm run`, `make` and `clean-arch-generator` of a shell block names something that exists. */
export function unknownCommands(files: readonly TidyFile[], commands: Commands): string[] {
  const kinds = [
    [/\bnpm run (?:-\S+ )*([a-z][\w:-]*)/g, commands.scripts, "an npm script"],
    [/(?:^|&& |; )make ([a-z][\w-]*)/gm, commands.targets, "a target of the Makefile"],
    [/\bclean-arch-generator ([a-z][\w-]*)/g, commands.subcommands, "a command of the generator"],
  ] as const;
  return files
    .flatMap(fences)
    .filter(({ info }) => /^(sh|bash|console)\b/.test(info))
    .flatMap(({ body, where }) =>
      kinds.flatMap(([pattern, known, what]) =>
        [...body.matchAll(pattern)]
          .map((match) => match[1] ?? "")
          .filter((name) => !known.has(name))
          .map((name) => `${where}: expected ${what}, got ${name}`),
      ),
    );
}

/** Every source file that a document names in backticks is there, in some package. `{a,b}` stands for both, `*` for any name. */
export function missingFiles(files: readonly TidyFile[], sources: readonly string[]): string[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/`([\w.*{},/-]+\/[\w.*{},-]+\.ts)`/g)]
      .flatMap((match) => alternatives(match[1] ?? ""))
      .filter((name) => !sources.some((source) => isNamed(source, name)))
      .map((name) => `${path}: expected a file ${name}, got none`),
  );
}

function alternatives(name: string): string[] {
  const [whole, names] = /\{([^}]*)\}/.exec(name) ?? [];
  if (whole === undefined || names === undefined) return [name];
  return names.split(",").flatMap((each) => alternatives(name.replace(whole, each)));
}

function isNamed(path: string, name: string): boolean {
  return new RegExp(`(^|/)${name.replaceAll(".", "\\.").replaceAll("*", "[^/]+")}$`).test(path);
}

/** A block whose info names a file (```` ```ts examples/x/main.ts ````) is an excerpt of it; `...` stands for what is left out. */
export function wrongQuotes(files: readonly TidyFile[], sources: ReadonlyMap<string, string>): string[] {
  return files.flatMap(fences).flatMap(({ info, body, where }) => {
    const file = info.split(/\s+/)[1];
    if (file === undefined) return [];
    const source = sources.get(file);
    if (source === undefined) return [`${where}: expected a file to quote, got ${file}`];
    const parts = body.split(/^ *(?:\/\/ )?\.\.\.\n/m).filter((part) => part !== "");
    return parts
      .filter((part) => !source.includes(part))
      .map((part) => `${where}: expected a quote of ${file}, it has no ${JSON.stringify(part.slice(0, 60))}`);
  });
}
