/**
 * A text that a pattern matches, for the common kinds of pattern: literals, classes, groups, counts. It is tried before
 * it is given; what is not understood gives null.
 */
export function sampleOf(pattern: string, fits: (text: string) => boolean = () => true): string | null {
  const whole = new RegExp(pattern, "u");
  // Counted parts first as short as they may be, then longer, for the sake of a minimal length.
  for (const extra of [0, 1, 2, 4, 8, 16, 32]) {
    const text = new Sampler(pattern, extra).read();
    if (text !== null && whole.test(text) && fits(text)) return text;
  }
  return null;
}

/** A text that a pattern matches, and the places where its digits and letters may be any other of their kind. */
export interface PatternSample {
  readonly text: string;
  readonly varies: readonly number[];
}

const KINDS = ["0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] as const;

/** Null: no text is known. Where its kind is not a place's own, or the places depend on each other, it does not vary. */
export function variedSampleOf(pattern: string, fits: (text: string) => boolean): PatternSample | null {
  const text = sampleOf(pattern, fits);
  if (text === null) return null;
  const whole = new RegExp(pattern, "u");
  const characters = [...text];
  const kindOf = (place: number) => KINDS.find((kind) => kind.includes(characters[place] ?? " ")) ?? "";
  const varies = [...characters.keys()].filter((place) => {
    const kind = kindOf(place);
    return kind !== "" && [...kind].every((other) => whole.test(characters.with(place, other).join("")));
  });
  const together = Array.from({ length: 26 }, (_, turn) =>
    characters.map((own, place) => (varies.includes(place) ? [...kindOf(place)].at(turn % kindOf(place).length) : own)),
  );
  const isFree = together.every((each) => whole.test(each.join("")));
  return { text, varies: isFree ? varies : varies.slice(-1) };
}

const CLASSES: Readonly<Record<string, string>> = { d: "7", w: "a", s: " ", D: "a", W: "-", S: "a", t: "\t", n: "\n" };
const PREFERRED = "aA7-_. @/:+,#b1Bz";

class Sampler {
  readonly #pattern: string;
  readonly #extra: number;
  #at = 0;

  constructor(pattern: string, extra: number) {
    this.#pattern = pattern;
    this.#extra = extra;
  }

  read(): string | null {
    const text = this.#alternatives();
    return this.#at === this.#pattern.length ? text : null;
  }

  /** The first alternative; the others are only stepped over. */
  #alternatives(): string | null {
    const first = this.#sequence();
    while (first !== null && this.#pattern[this.#at] === "|") {
      this.#at += 1;
      if (this.#sequence() === null) return null;
    }
    return first;
  }

  #sequence(): string | null {
    let text = "";
    for (let next = this.#pattern[this.#at]; next !== undefined && next !== "|" && next !== ")"; ) {
      const atom = this.#atom(next);
      const count = atom === null ? null : this.#count();
      if (atom === null || count === null) return null;
      text += atom.repeat(count);
      next = this.#pattern[this.#at];
    }
    return text;
  }

  #atom(next: string): string | null {
    this.#at += 1;
    if (next === "^" || next === "$") return "";
    if (next === ".") return "a";
    if (next === "\\") return this.#escape();
    if (next === "[") return this.#class();
    if (next === "(") return this.#group();
    return /[*+?{}\])]/.test(next) ? null : next;
  }

  #escape(): string | null {
    const escaped = this.#pattern[this.#at];
    this.#at += 1;
    if (escaped === undefined || /[bBpP]|[ux]|[ck]|[0-9]/.test(escaped)) return null;
    return CLASSES[escaped] ?? escaped;
  }

  #class(): string | null {
    let end = this.#at;
    while (end < this.#pattern.length && this.#pattern[end] !== "]") end += this.#pattern[end] === "\\" ? 2 : 1;
    const source = this.#pattern.slice(this.#at - 1, end + 1);
    this.#at = end + 1;
    if (!source.endsWith("]")) return null;
    const one = new RegExp(`^${source}$`, "u");
    const first = source.replace(/^\[\^?/, "").charAt(0);
    return [...PREFERRED, first].find((character) => one.test(character)) ?? null;
  }

  #group(): string | null {
    if (this.#pattern.startsWith("?:", this.#at)) this.#at += 2;
    else if (this.#pattern[this.#at] === "?") return null;
    const text = this.#alternatives();
    if (this.#pattern[this.#at] !== ")") return null;
    this.#at += 1;
    return text;
  }

  #count(): number | null {
    const match = /^(?:[*+?]|\{(\d{1,3})(,(\d{0,3}))?\})\??/.exec(this.#pattern.slice(this.#at));
    if (match === null) return 1;
    const [found, least, open, most] = match;
    this.#at += found.length;
    if (least === undefined) return found.startsWith("+") ? 1 + this.#extra : found.startsWith("*") ? this.#extra : 0;
    if (open === undefined) return Number(least);
    return Math.min(Number(least) + this.#extra, most ? Number(most) : Number.POSITIVE_INFINITY);
  }
}
