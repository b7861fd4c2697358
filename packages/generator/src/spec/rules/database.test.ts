import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

describe("a database that the service could not use is refused where it is written", () => {
  test.each([
    ["{url: 'file:data/x.db'}", []],
    ["{url: 'file:../x.db'}", ["1:17 bad-url"]],
    ["{driver: postgres}", []],
    ["{url: 'postgres://x/y'}", []],
    ["{driver: postgres, url: 'postgresql://user@x:5432/y?application_name=z', pool: 5}", []],
    ["{url: 'postgresql://user:secret@x/y'}", ["1:17 secret-in-config"]],
    ["{url: 'postgresql://x/y?password=secret'}", ["1:17 secret-in-config"]],
    ["{url: 'postgresql:///y'}", ["1:17 bad-url"]],
    ["{url: 'mysql://x/y'}", ["1:17 bad-url"]],
    ["{driver: sqlite, url: 'postgres://x/y'}", ["1:33 bad-url"]],
    ["{driver: postgres, url: 'file:data/x.db'}", ["1:35 bad-url"]],
    ["{driver: postgres, pool: 0}", ["1:36 out-of-range"]],
  ])("%s", (database, expected) => {
    const found = diagnosticsOf(`database: ${database}`);
    expect(found.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(expected);
    expect(JSON.stringify(found)).not.toContain("secret@");
  });
});

test("instances that share a database and not their sessions are a warning", () => {
  const [warning, ...more] = diagnosticsOf("database: {driver: postgres}\nsession: {context: {storage: sqlite}}");
  expect(warning).toMatchObject({
    severity: "warning",
    code: "sessions-apart",
    key: "session.context.storage",
    line: 2,
  });
  expect(more).toEqual([]);
  expect(diagnosticsOf("session: {context: {storage: sqlite}}")).toEqual([]);
});
