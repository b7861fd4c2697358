import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

describe("a Redis that the service could not use is refused where it is written", () => {
  test.each([
    ["redis://x", []],
    ["redis://x:6380/2", []],
    ["rediss://user@x/", []],
    ["redis://a:1,redis://b:1/,redis://c:1/0", []],
    ["http://x", ["bad-url"]],
    ["redis://", ["bad-url"]],
    ["redis://x?db=1", ["bad-url"]],
    ["redis://x/sessions", ["bad-url"]],
    ["redis://a,", ["bad-url"]],
    ["redis://a, redis://b", ["bad-url"]],
    ["redis://a,redis://b/1", ["bad-url"]],
    ["redis://a,rediss://b", ["bad-url"]],
    ["redis://one@a,redis://two@b", ["bad-url"]],
    ["redis://a,redis://A:6379", ["bad-url"]],
    ["redis://:secret@x", ["secret-in-config"]],
    ["redis://a,redis://user:secret@b", ["secret-in-config"]],
    ["redis://x?password=secret", ["secret-in-config"]],
  ])("%s", (url, expected) => {
    const found = diagnosticsOf(`redis: {url: '${url}'}`);
    expect(found.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(
      expected.map((code) => `1:14 ${code}`),
    );
    expect(JSON.stringify(found)).not.toContain("secret@");
    expect(JSON.stringify(found)).not.toContain("password=");
  });
});
