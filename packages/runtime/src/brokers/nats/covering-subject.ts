/**
 * The narrowest single subject that has all of the patterns: servers below 2.10 give a consumer one filter. Words on which all agree
 * stay, where they differ stands `*`.
 */
export function coveringSubject(patterns: readonly string[]): string {
  const all = patterns.map((pattern) => pattern.split("."));
  const lengths = all.map((words) => words.length);
  const shortest = Math.min(...lengths);
  const covering: string[] = [];
  for (let at = 0; at < shortest; at += 1) {
    const words = new Set(all.map((each) => each[at] ?? "*"));
    const [word = "*"] = words;
    if (words.has(">")) return [...covering, ">"].join(".");
    covering.push(words.size === 1 ? word : "*");
  }
  // One of them ends before others do, and `>` stands for one word at least: so the last common word gives way to it.
  return shortest === Math.max(...lengths) ? covering.join(".") : [...covering.slice(0, -1), ">"].join(".");
}
