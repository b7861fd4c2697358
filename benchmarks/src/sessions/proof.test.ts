import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { redisVersion, startRedis } from "../servers/redis.js";
import { HttpConnection } from "./http-connection.js";
import { listen, stop } from "./http-server.js";
import { prove } from "./proof.js";
import { noteAnswer, userAnswer } from "./routes.js";
import { userName } from "./session-data.js";

/** A contender that never asks Redis: it keeps its one session in its own memory. */
let server: Server;
let one: HttpConnection;
let redis: Awaited<ReturnType<typeof startRedis>>;
const folder = mkdtempSync(join(tmpdir(), "proof-"));
// The tests of the repository do without Redis.
const hasRedis = redisVersion() !== null;

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await startRedis(folder);
  let note = "";
  const listening = await listen(({ method, url = "" }, response) => {
    const isNote = url.startsWith("/note");
    if (isNote && method === "POST") note = url.slice("/note/".length);
    response.setHeader("set-cookie", "sid=1");
    response.end(isNote && method === "GET" ? noteAnswer(note) : userAnswer(userName(0)));
  });
  server = listening.server;
  one = await HttpConnection.open(listening.port);
});
afterAll(async () => {
  if (hasRedis) {
    one.close();
    await stop(server);
    await redis.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

it.skipIf(!hasRedis)("refuses a contender whose reads move no expiry although it says so", async () => {
  await expect(prove({ redisPort: redis.port, one, other: one, sessions: "touched" })).rejects.toThrow(
    "expected a session that is touched by a read, got one that has 0 of 10 s left",
  );
});

it.skipIf(!hasRedis)("refuses a contender that knows a session which Redis has forgotten", async () => {
  await expect(prove({ redisPort: redis.port, one, other: one, sessions: "fixed" })).rejects.toThrow(
    'a read: expected the answer {"user":null}, got {"user":"user-00000"}',
  );
});
