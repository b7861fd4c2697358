import { expect, it } from "vitest";
import { CommandCounter } from "./command-counter.js";

const encoded = (...parts: string[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;

/** Values that look like the protocol, and one of more bytes than letters. */
const sent = Buffer.from(
  encoded("get", "a") +
    encoded("SET", "a", "*2\r\n$3\r\nGET\r\n", "EX", "9") +
    encoded("PING") +
    encoded("SET", "", "é"),
);

it.each([1, 2, 3, 7, 64, sent.length])("counts commands by name, in pieces of %i bytes", (size) => {
  const names: string[] = [];
  const counter = new CommandCounter((name) => names.push(name));
  for (let at = 0; at < sent.length; at += size) counter.take(sent.subarray(at, at + size));
  expect(names).toEqual(["GET", "SET", "PING", "SET"]);
});

it("refuses what it cannot count", () => {
  const counter = new CommandCounter(() => undefined);
  expect(() => counter.take(Buffer.from("PING\r\n"))).toThrow(
    "expected a command as an array of bulk strings, got PING",
  );
});
