import { describe, expect, it } from "vitest";
import { readAckSubject } from "./ack-subject.js";
import { nanosOf } from "./group-look.js";

describe("the subject of an acknowledgment", () => {
  it("says where the message lies, from older servers and newer ones", () => {
    const place = { attempt: 3, sequence: 41, storedAt: "1795000000123456789" };
    expect(readAckSubject("$JS.ACK.stream.group.3.41.7.1795000000123456789.0")).toEqual(place);
    expect(readAckSubject("$JS.ACK._.hash.stream.group.3.41.7.1795000000123456789.0")).toEqual(place);
    expect(readAckSubject("$JS.ACK.hub.hash.stream.group.3.41.7.1795000000123456789.0.random")).toEqual(place);
  });

  it("is none when it is another subject", () => {
    expect(readAckSubject("")).toBeNull();
    expect(readAckSubject("_INBOX.a.b.c.d.e.f.g.h")).toBeNull();
    expect(readAckSubject("$JS.ACK.stream.group.3")).toBeNull();
  });

  it("has the time that the stream shows of the same message", () => {
    expect(nanosOf("2026-11-28T19:29:14.123456789Z")).toBe(`${Date.parse("2026-11-28T19:29:14Z") / 1_000}123456789`);
    expect(nanosOf("2026-11-28T19:29:14.1Z")).toBe(`${Date.parse("2026-11-28T19:29:14Z") / 1_000}100000000`);
    expect(nanosOf("2026-11-28T19:29:14Z")).toBe(`${Date.parse("2026-11-28T19:29:14Z") / 1_000}000000000`);
  });
});
