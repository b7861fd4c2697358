import { expect, test } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { GatheredReads } from "./gathered-reads.js";

/** A server that has `<key>!` under each key but those that begin with `absent`, and remembers what it was asked. */
function createServer() {
  const clock = createManualClock();
  const commands: (readonly string[])[] = [];
  const reads = new GatheredReads(async (keys) => {
    commands.push([...keys]);
    if (keys.includes("broken")) throw new Error("connection lost");
    return keys.map((key) => (key.startsWith("absent") ? null : `${key}!`));
  }, clock);
  return { reads, commands, endTurn: () => clock.advance(0) };
}

test("the reads of one turn are one command, and each gets the values of its own keys", async () => {
  const { reads, commands, endTurn } = createServer();
  const answers = [reads.read(["a", "b"]), reads.read(["absent"]), reads.read(["c", "absent"])];
  expect(commands).toEqual([]);
  endTurn();
  expect(await Promise.all(answers)).toEqual([["a!", "b!"], [null], ["c!", null]]);
  expect(commands).toEqual([["a", "b", "absent", "c", "absent"]]);
});

test("a read of a later turn goes with no command that has left", async () => {
  const { reads, commands, endTurn } = createServer();
  const first = reads.read(["a"]);
  endTurn();
  const second = reads.read(["b"]);
  endTurn();
  expect(await Promise.all([first, second])).toEqual([["a!"], ["b!"]]);
  expect(commands).toEqual([["a"], ["b"]]);
});

test("a command that is full leaves before the turn ends", async () => {
  const { reads, commands, endTurn } = createServer();
  const keys = Array.from({ length: 25 }, (_, n) => [`r${n}`, `e${n}`]);
  const answers = keys.map((pair) => reads.read(pair));
  expect(commands).toEqual([keys.slice(0, 24).flat()]);
  endTurn();
  expect(commands).toEqual([keys.slice(0, 24).flat(), keys[24]]);
  expect(await Promise.all(answers)).toEqual(keys.map((pair) => pair.map((key) => `${key}!`)));
});

test("a command that fails fails its readers, and nobody after them", async () => {
  const { reads, endTurn } = createServer();
  const answers = [reads.read(["a"]), reads.read(["broken"])].map((read) => read.catch(({ message }) => message));
  endTurn();
  expect(await Promise.all(answers)).toEqual(["connection lost", "connection lost"]);
  const next = reads.read(["a"]);
  endTurn();
  expect(await next).toEqual(["a!"]);
});
