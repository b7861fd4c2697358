/** What every contender keeps of a signed-in user, the same for all: about 20 fields at the top, `bytes` long as JSON. */
export type SessionData = Readonly<Record<string, string | number | boolean | readonly string[]>> & {
  readonly user: string;
  /** The field that writes change; its length stays. */
  readonly note: string;
};

export type Size = "300" | "2k" | "16k";

const BYTES: Readonly<Record<Size, number>> = { "300": 300, "2k": 2_048, "16k": 16_384 };

/** Fields that are only there to be kept. */
const OTHERS = Array.from({ length: 15 }, (_, n) => `f${n + 1}`);
const LETTERS = "the quick brown fox jumps over the lazy dog ";

export function isSize(text: string): text is Size {
  return text in BYTES;
}

/** Of user number `n`. */
export function sessionData(size: Size, n: number): SessionData {
  const user = userName(n);
  const data = { user, account: n, roles: ["user", "editor"], verified: true };
  const empty = { ...data, note: "", ...Object.fromEntries(OTHERS.map((name) => [name, ""])) };
  const room = BYTES[size] - JSON.stringify(empty).length;
  const each = Math.floor(room / (OTHERS.length + 1));
  const filled = OTHERS.map((name): readonly [string, string] => [name, text(each)]);
  return { ...data, note: text(room - each * OTHERS.length), ...Object.fromEntries(filled) };
}

/** Five digits, so that all answers have one length. */
export function userName(n: number): string {
  return `user-${String(n).padStart(5, "0")}`;
}

function text(length: number): string {
  return LETTERS.repeat(Math.ceil(length / LETTERS.length)).slice(0, length);
}
