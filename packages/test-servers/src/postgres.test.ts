import { expect, it } from "vitest";
import { startPostgres } from "./postgres.js";

it("keeps what was committed through a crash, and is gone when removed", async () => {
  const server = await startPostgres();
  try {
    server.run("create table kept (n int); insert into kept values (7)");
    await server.stop("immediate");
    expect(() => server.run("select 1")).toThrow();
    await server.start();
    expect(server.run("select n from kept")).toBe("7");
  } finally {
    await server.remove();
  }
  expect(() => server.run("select 1")).toThrow();
});
