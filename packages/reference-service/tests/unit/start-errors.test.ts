import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/infrastructure/config/config-error.js";
import { listenError } from "../../src/infrastructure/config/start-errors.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { openPostgres } from "../../src/infrastructure/persistence/postgres/database.js";
import { openSqlite } from "../../src/infrastructure/persistence/sqlite/database.js";

describe("what the machine refuses at the start", () => {
  let folder: string;
  const servers: Server[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "start-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    for (const server of servers.splice(0)) server.close();
  });

  const listen = (port: number, host: string): Server => {
    const server = createServer();
    servers.push(server);
    return server.listen(port, host);
  };

  it("names http.port when another process listens there", async () => {
    const first = listen(0, "127.0.0.1");
    await once(first, "listening");
    const { port } = first.address() as AddressInfo;
    const [error] = await once(listen(port, "127.0.0.1"), "error");
    const told = listenError(error, { port, host: "127.0.0.1" }) as ConfigError;
    expect(told).toBeInstanceOf(ConfigError);
    expect(told.issues).toMatchObject([{ source: expect.stringContaining("HTTP_PORT"), key: "http.port" }]);
    expect(told.message).toContain(`127.0.0.1:${port} (another process listens there)`);
  });

  it("names http.host when this machine has no such address", async () => {
    const [error] = await once(listen(0, "203.0.113.9"), "error");
    expect(listenError(error, { port: 1, host: "203.0.113.9" })).toMatchObject({ issues: [{ key: "http.host" }] });
  });

  it("leaves alone what no setting is to blame for", () => {
    const fault = new TypeError("a fault");
    expect(listenError(fault, { port: 1, host: "x" })).toBe(fault);
  });

  it.each([
    ["a folder", () => folder],
    ["a file below a file", () => join(written("a file"), "x.db")],
    ["no database", () => written("this is no database ".repeat(99))],
  ])("names database.url when it leads to %s", (_what, path) => {
    const file = path();
    let told: unknown;
    try {
      openSqlite(file);
    } catch (error) {
      told = error;
    }
    expect(told).toBeInstanceOf(ConfigError);
    expect(told).toMatchObject({
      issues: [
        { source: expect.stringContaining("DATABASE_URL"), key: "database.url", got: expect.stringContaining(file) },
      ],
    });
  });

  it("names database.url, without its password, when no PostgreSQL server answers there", async () => {
    const url = "postgresql://service:secret@127.0.0.1:1/books";
    const options = { url, connections: 1, applicationName: "test", logger: createLogger("test", "silent") };
    const told = await openPostgres({ ...options, patienceMs: 0 }).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(ConfigError);
    expect(told).toMatchObject({
      issues: [{ key: "database.url", got: expect.stringContaining("postgresql://127.0.0.1:1/books (") }],
    });
    expect(String(told)).not.toContain("secret");
  });

  function written(text: string): string {
    const file = join(folder, "file");
    writeFileSync(file, text);
    return file;
  }
});
