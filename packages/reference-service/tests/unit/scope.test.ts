import { describe, expect, it } from "vitest";
import { createScope } from "../../src/infrastructure/container/scope.js";

describe("a scope", () => {
  it("disposes in reverse order, each once", async () => {
    const disposed: string[] = [];
    const scope = createScope();
    scope.own("first", "a", (name) => disposed.push(name));
    scope.own("second", "b", async (name) => disposed.push(name));
    await Promise.all([scope.close(), scope.close()]);
    await scope.close();
    expect(disposed).toEqual(["b", "a"]);
  });

  it("disposes of the others when one fails, and says which failed", async () => {
    const disposed: string[] = [];
    const scope = createScope();
    scope.own("store", "a", (name) => disposed.push(name));
    scope.own("manager", "b", () => {
      throw new Error("busy");
    });
    await expect(scope.close()).rejects.toThrow("could not close manager");
    expect(disposed).toEqual(["a"]);
  });
});
