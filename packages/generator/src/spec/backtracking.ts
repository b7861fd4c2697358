/**
 * Whether a regular expression can take time exponential in its text: whether a word leads from one of its characters
 * back to it in two ways, so that each repetition doubles what a failing match tries. `(a+)+` does, and `(\w|\d)*`; the
 * nested but unambiguous `[a-z]+(-[a-z]+)*` does not.
 *
 * The expression becomes an automaton of positions (its characters in order, Glushkov's construction) with an edge for
 * each way from one to the next. Two walks of it side by side over the same characters show the ambiguity: a cycle of
 * pairs that leaves the diagonal and comes back to it. What is not understood counts as dangerous: back references,
 * expressions of too many positions. A variable part repeated a bounded number of times counts as repeated without end.
 *
 * Loops one after the other over the same characters (`a*a*a*a*b`) take polynomial time, one degree for each. The service
 * tries patterns on at most 1,000 characters, so that three of them are the most.
 */

const MAX_POSITIONS = 300;
const MAX_EDGES = 30_000;

/** What may be spent on judging, shared by the patterns of a config so that their number cannot cost time either. */
export interface Patience {
  steps: number;
}

export const patienceForOneConfig = (): Patience => ({ steps: 3_000_000 });
/** Copies a counted repetition is written out as; beyond, it counts as a loop. */
const MAX_COPIES = 64;
const MAX_VARIABLE_COPIES = 3;
const MAX_DEGREE = 3;

type Part =
  | { readonly kind: "character"; readonly source: string }
  /** Matches no text: anchors, and lookarounds, whose inside is judged apart. */
  | { readonly kind: "empty" }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Part[] }
  | { readonly kind: "repeat"; readonly part: Part; readonly least: number; readonly most: number };

/** For an expression that compiles under the `u` flag: true when its time is bounded as said above. */
export function isBacktrackingBounded(pattern: string, patience: Patience = patienceForOneConfig()): boolean {
  try {
    spend(patience, pattern.length);
    const { whole, lookarounds } = new Reader(pattern).read();
    return [whole, ...lookarounds].every((part) => isUnambiguous(part, patience));
  } catch (error) {
    if (error instanceof NotUnderstood) return false;
    throw error;
  }
}

class NotUnderstood extends Error {}

function spend(patience: Patience, steps: number): void {
  patience.steps -= steps;
  if (patience.steps < 0) throw new NotUnderstood();
}

class Reader {
  readonly #characters: readonly string[];
  readonly #lookarounds: Part[] = [];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  read(): { readonly whole: Part; readonly lookarounds: readonly Part[] } {
    const whole = this.#choice();
    if (this.#at < this.#characters.length) throw new NotUnderstood();
    return { whole, lookarounds: this.#lookarounds };
  }

  #takes(text: string): boolean {
    const found = this.#characters.slice(this.#at, this.#at + text.length).join("") === text;
    if (found) this.#at += text.length;
    return found;
  }

  #choice(): Part {
    const parts = [this.#sequence()];
    while (this.#takes("|")) parts.push(this.#sequence());
    return parts.length === 1 ? (parts[0] as Part) : { kind: "choice", parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    for (let next = this.#characters[this.#at]; next !== undefined && next !== "|" && next !== ")"; ) {
      parts.push(this.#counted(this.#atom(next)));
      next = this.#characters[this.#at];
    }
    return { kind: "sequence", parts };
  }

  #atom(next: string): Part {
    this.#at += 1;
    if (next === "^" || next === "$") return { kind: "empty" };
    if (next === "(") return this.#group();
    if (next === "[") return this.#class();
    if (next === "\\") return this.#escape();
    return { kind: "character", source: /[.\w\s]/.test(next) ? next : escaped(next) };
  }

  #group(): Part {
    const isLookaround = ["?=", "?!", "?<=", "?<!"].some((mark) => this.#takes(mark));
    if (!isLookaround && !this.#takes("?:") && this.#takes("?<")) {
      while (!this.#takes(">")) this.#at += 1;
    }
    const inside = this.#choice();
    if (!this.#takes(")")) throw new NotUnderstood();
    if (!isLookaround) return inside;
    this.#lookarounds.push(inside);
    return { kind: "empty" };
  }

  #class(): Part {
    const start = this.#at - 1;
    for (let next = this.#characters[this.#at]; next !== "]"; next = this.#characters[this.#at]) {
      if (next === undefined) throw new NotUnderstood();
      this.#at += next === "\\" ? 2 : 1;
    }
    this.#at += 1;
    return { kind: "character", source: this.#characters.slice(start, this.#at).join("") };
  }

  #escape(): Part {
    const rest = this.#characters.slice(this.#at, this.#at + 80).join("");
    if (/^[bB]/.test(rest)) {
      this.#at += 1;
      return { kind: "empty" };
    }
    const source = /^(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|x..|c.|0)/.exec(
      rest,
    );
    if (source === null && /^[1-9k]/.test(rest)) throw new NotUnderstood();
    const text = source?.[0] ?? rest.slice(0, 1);
    this.#at += [...text].length;
    return { kind: "character", source: `\\${text}` };
  }

  #counted(part: Part): Part {
    const rest = this.#characters.slice(this.#at, this.#at + 30).join("");
    const match = /^(?:[*+?]|\{([0-9]+)(,([0-9]*))?\})\??/.exec(rest);
    if (match === null) return part;
    const [text, least, open, most] = match;
    this.#at += text.length;
    if (text.startsWith("?")) return { kind: "repeat", part, least: 0, most: 1 };
    if (least === undefined) {
      return { kind: "repeat", part, least: text.startsWith("+") ? 1 : 0, most: Number.POSITIVE_INFINITY };
    }
    const bound = most === "" ? Number.POSITIVE_INFINITY : Number(most ?? least);
    return { kind: "repeat", part, least: Number(least), most: open === undefined ? Number(least) : bound };
  }
}

const escaped = (character: string): string => (/[\]{}[()*+?|/^$]/.test(character) ? `\\${character}` : character);

/** What an automaton has to know of a part: where its text begins and ends, and in how many ways it may be empty. */
interface Ends {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** 0, 1, or 2 for more. */
  readonly empty: number;
}

class Automaton {
  /** Of each position: the source of its character. */
  readonly sources: string[] = [];
  /** Of each position: those that may follow, each as often as there are ways. */
  readonly next: number[][] = [];
  readonly #patience: Patience;
  #edges = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  add(part: Part): Ends {
    switch (part.kind) {
      case "empty":
        return { first: [], last: [], empty: 1 };
      case "character": {
        if (this.sources.length >= MAX_POSITIONS) throw new NotUnderstood();
        this.next.push([]);
        const position = this.sources.push(part.source) - 1;
        return { first: [position], last: [position], empty: 0 };
      }
      case "sequence":
        return part.parts.reduce<Ends>((before, one) => this.#join(before, this.add(one)), {
          first: [],
          last: [],
          empty: 1,
        });
      case "choice": {
        const all = part.parts.map((one) => this.add(one));
        const empty = Math.min(
          2,
          all.reduce((sum, one) => sum + one.empty, 0),
        );
        return { first: all.flatMap(({ first }) => first), last: all.flatMap(({ last }) => last), empty };
      }
      case "repeat":
        return this.#repeat(part);
    }
  }

  #join(before: Ends, after: Ends): Ends {
    this.#connect(before.last, after.first);
    const through = (positions: readonly number[], ways: number): number[] =>
      Array.from({ length: ways }, () => positions).flat();
    return {
      first: [...before.first, ...through(after.first, before.empty)],
      last: [...after.last, ...through(before.last, after.empty)],
      empty: Math.min(2, before.empty * after.empty),
    };
  }

  #connect(from: readonly number[], to: readonly number[]): void {
    const edges = from.length * to.length;
    this.#edges += edges;
    spend(this.#patience, edges + from.length + to.length);
    if (this.#edges > MAX_EDGES) throw new NotUnderstood();
    for (const one of from) this.next[one]?.push(...to);
  }

  #repeat({ part, least, most }: Part & { kind: "repeat" }): Ends {
    if (most === 0) return { first: [], last: [], empty: 1 };
    const copies = Number.isFinite(most) ? most : least;
    const bound = !isVariable(part) ? MAX_COPIES : repeatsVariable(part) ? 1 : MAX_VARIABLE_COPIES;
    const isLoop = most > bound;
    if (!isLoop || (!Number.isFinite(most) && copies > 1 && copies <= bound)) {
      let ends: Ends = { first: [], last: [], empty: 1 };
      for (let i = 0; i < copies; i += 1) {
        const one = this.add(part);
        ends = this.#join(ends, i < least ? one : { ...one, empty: 1 });
      }
      return isLoop ? this.#join(ends, this.#loop(part, 0)) : ends;
    }
    return this.#loop(part, least);
  }

  #loop(part: Part, least: number): Ends {
    const ends = this.add(part);
    this.#connect(ends.last, ends.first);
    return { ...ends, empty: least === 0 ? 1 : ends.empty };
  }
}

const isVariable = (part: Part): boolean => {
  if (part.kind === "repeat") return part.least !== part.most || isVariable(part.part);
  return part.kind === "choice" || (part.kind === "sequence" && part.parts.some(isVariable));
};

/** Copies of copies multiply. */
const repeatsVariable = (part: Part): boolean => {
  if (part.kind === "repeat") return (part.most > 1 && isVariable(part.part)) || repeatsVariable(part.part);
  return "parts" in part && part.parts.some(repeatsVariable);
};

function isUnambiguous(part: Part, patience: Patience): boolean {
  const automaton = new Automaton(patience);
  automaton.add(part);
  const { sources, next } = automaton;
  const meets = intersections(sources);
  const size = sources.length;
  const successors = (pair: number): number[] => {
    const [left, right] = [next[Math.floor(pair / size)] ?? [], next[pair % size] ?? []];
    const found = new Set<number>();
    for (const a of left) {
      for (const b of right) {
        spend(patience, 1);
        if (meets(a, b)) found.add(a * size + b);
      }
    }
    return [...found];
  };
  const diagonals = Array.from({ length: size }, (_, position) => position * size + position);
  for (const component of components(diagonals, successors)) {
    const members = new Set(component);
    const onDiagonal = component.filter((pair) => Math.floor(pair / size) === pair % size);
    if (onDiagonal.length === 0) continue;
    if (onDiagonal.length < component.length) return false;
    // Two ways over the same edge, on a cycle.
    for (const pair of onDiagonal) {
      const inside = (next[pair % size] ?? []).filter((to) => members.has(to * size + to));
      const cycles = component.length > 1 || inside.includes(pair % size);
      if (cycles && new Set(inside).size < inside.length) return false;
    }
  }
  return longestChain(next, meets) <= MAX_DEGREE;
}

/** How many loops a text of the same characters may have to be divided among. */
function longestChain(next: readonly (readonly number[])[], meets: (a: number, b: number) => boolean): number {
  const followers = (position: number): readonly number[] => next[position] ?? [];
  const loops = components([...next.keys()], (position) => [...followers(position)]).filter(
    ([first, ...others]) => first !== undefined && (others.length > 0 || followers(first).includes(first)),
  );
  const chains = new Map<readonly number[], number>();
  // A component is found after those it leads to.
  for (const loop of loops) {
    const fits = (position: number): boolean => loop.some((own) => meets(own, position));
    const reached = new Set(loop);
    for (const position of reached) for (const to of followers(position)) if (fits(to)) reached.add(to);
    const after = loops.filter((other) => other !== loop && other.some((position) => reached.has(position)));
    chains.set(loop, 1 + Math.max(0, ...after.map((other) => chains.get(other) ?? 0)));
  }
  return Math.max(0, ...chains.values());
}

/** Whether two positions share a character, as far as sample characters tell: all of Latin-1, and some of each script. */
function intersections(sources: readonly string[]): (a: number, b: number) => boolean {
  const samples = [
    ...Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code)),
    ...new Set(sources.flatMap((source) => [...source]).filter((one) => (one.codePointAt(0) ?? 0) > 255)),
    ...["\u0142", "\u03a9", "\u0436", "\u05d0", "\u0627", "\u0939", "\u3042", "\u4e2d", "\ud55c", "\u2028", "\u20ac"],
    ...["\u0301", "\u0660", "\u2026", "\u{1f600}", "\u{10ffff}"],
  ];
  const numbered = new Map<string, number>();
  const members: Uint8Array[] = [];
  const classOf = sources.map((source) => {
    const known = numbered.get(source);
    if (known !== undefined) return known;
    const one = new RegExp(`^(?:${source})$`, "u");
    numbered.set(source, members.length);
    return members.push(Uint8Array.from(samples, (sample) => (one.test(sample) ? 1 : 0))) - 1;
  });
  const shared = members.map((left) =>
    // A class of no sample is one of unusual characters: it may meet any other such.
    members.map((right) => left === right || left.some((value, i) => value === 1 && right[i] === 1)),
  );
  return (a, b) => shared[classOf[a] ?? 0]?.[classOf[b] ?? 0] ?? true;
}

/** Strongly connected components of what can be reached (Tarjan, without recursion). */
function components(roots: readonly number[], successors: (node: number) => number[]): number[][] {
  const found: number[][] = [];
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open = new Set<number>();
  const stack: number[] = [];
  for (const root of roots) {
    if (index.has(root)) continue;
    const trail: { readonly node: number; readonly rest: number[] }[] = [];
    const enter = (node: number): void => {
      index.set(node, index.size);
      low.set(node, index.get(node) ?? 0);
      stack.push(node);
      open.add(node);
      trail.push({ node, rest: successors(node) });
    };
    const lower = (node: number, to: number): void => void low.set(node, Math.min(low.get(node) ?? 0, to));
    enter(root);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const to = top.rest.pop();
      if (to === undefined) {
        trail.pop();
        const above = trail.at(-1);
        if (above !== undefined) lower(above.node, low.get(top.node) ?? 0);
        if (low.get(top.node) === index.get(top.node)) {
          const component = stack.splice(stack.lastIndexOf(top.node));
          for (const node of component) open.delete(node);
          found.push(component);
        }
      } else if (!index.has(to)) enter(to);
      else if (open.has(to)) lower(top.node, index.get(to) ?? 0);
    }
  }
  return found;
}
