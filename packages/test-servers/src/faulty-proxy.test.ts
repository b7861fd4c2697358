import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "./faulty-proxy.js";

/** Answers every chunk with `<chunk>!` and remembers what it was asked. */
let server: Server;
let asked: string[];
let proxy: FaultyProxy;
const sockets = new Set<Socket>();

beforeEach(async () => {
  asked = [];
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      asked.push(String(chunk));
      socket.write(`${chunk}!`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  proxy = await startFaultyProxy({ to: address.port });
});
afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** A client that collects what it hears. */
async function client() {
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  const heard: string[] = [];
  let code: string | undefined;
  socket.on("data", (chunk) => heard.push(String(chunk)));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  sockets.add(socket);
  return {
    socket,
    heard,
    say: (text: string) => void socket.write(text),
    hears: (text: string) => expect.poll(() => heard.join("")).toBe(text),
    /** The error's code; undefined: it ended in good order. */
    gone: async () => {
      await closed;
      return code;
    },
  };
}

describe("a faulty proxy", () => {
  it("carries both ways, and ends both sides when one ends", async () => {
    const { say, hears, socket, gone } = await client();
    say("a");
    await hears("a!");
    socket.end();
    expect(await gone()).toBeUndefined();
    await expect.poll(() => proxy.connections).toBe(0);
  });

  it("refuses like a server that is not there", async () => {
    const nowhere = await startFaultyProxy({ to: 1 });
    const socket = connect({ host: "127.0.0.1", port: nowhere.port });
    const [error] = await once(socket, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    await nowhere.close();
  });

  it("carries a request out and loses its reply, then carries on with others", async () => {
    const [first, second] = [await client(), await client()];
    proxy.swallow({ request: (chunk) => chunk.includes("commit") });
    second.say("select");
    await second.hears("select!");
    expect(proxy.armed).toBe(1);
    first.say("commit");
    expect(await first.gone()).toBe("ECONNRESET");
    expect(first.heard).toEqual([]);
    expect(asked).toEqual(["select", "commit"]);
    expect([proxy.counts.swallowed, proxy.armed]).toEqual([1, 0]);
    second.say("commit");
    await second.hears("select!commit!");
  });

  it("loses a reply up to its last chunk, and leaves the caller waiting", async () => {
    const { say, heard, socket } = await client();
    proxy.swallow({ until: (chunk) => chunk.includes("b"), ending: "silence" });
    say("a");
    await expect.poll(() => asked).toEqual(["a"]);
    say("b");
    await expect.poll(() => proxy.counts.swallowed).toBe(1);
    say("c");
    const other = await client();
    other.say("d");
    await other.hears("d!");
    expect([asked, heard, socket.destroyed]).toEqual([["a", "b", "d"], [], false]);
  });

  it("breaks connections with RST", async () => {
    const [first, second] = [await client(), await client()];
    first.say("a");
    await first.hears("a!");
    expect(proxy.reset()).toBe(2);
    expect([await first.gone(), await second.gone()]).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect(proxy.counts.resets).toBe(2);
  });

  it.each([
    ["both", [], ""],
    ["requests", [], ""],
    ["replies", ["a"], ""],
  ] as const)("holds back %s in a partition and delivers after it", async (partition, meanwhile, heardMeanwhile) => {
    const { say, hears, heard } = await client();
    say("-");
    await hears("-!");
    proxy.set({ partition });
    say("a");
    if (meanwhile.length > 0) await expect.poll(() => asked).toEqual(["-", ...meanwhile]);
    // A second connection through the same proxy is cut off as well; one that bypasses it is not.
    const direct = connect({ host: "127.0.0.1", port: portOf(server) });
    sockets.add(direct);
    direct.write("direct");
    await once(direct, "data");
    expect(heard.join("")).toBe(`-!${heardMeanwhile}`);
    expect(asked.filter((text) => text === "a")).toHaveLength(meanwhile.length);
    proxy.set({ partition: "none" });
    await hears("-!a!");
  });

  it("tells nobody of an end during a partition", async () => {
    const { say, hears, socket } = await client();
    say("a");
    await hears("a!");
    proxy.set({ partition: "both" });
    for (const accepted of sockets) if (accepted !== socket) accepted.resetAndDestroy();
    const other = await client();
    other.say("b");
    await new Promise(setImmediate);
    expect([socket.closed, asked]).toEqual([false, ["a"]]);
    proxy.calm();
    await once(socket, "end");
    await other.hears("b!");
  });

  it("makes present connections half-open, not those that come", async () => {
    const { say, hears, heard, socket } = await client();
    say("a");
    await hears("a!");
    expect(proxy.silence()).toBe(1);
    say("b");
    const later = await client();
    later.say("c");
    await later.hears("c!");
    proxy.calm();
    expect([asked, heard.join(""), socket.destroyed]).toEqual([["a", "c"], "a!", false]);
  });

  it("delivers late and in order, in pieces", async () => {
    await proxy.close();
    let n = 0;
    proxy = await startFaultyProxy({ to: portOf(server), random: () => [0.9, 0.1, 0.5][n++ % 3] ?? 0 });
    proxy.set({ latencyMs: 20, jitterMs: 20, sliceBytes: 1 });
    const { say, hears } = await client();
    const startedAt = performance.now();
    say("abc");
    await expect.poll(() => asked.join("")).toBe("abc");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(20);
    expect(asked[0]).toBe("a");
    await hears(asked.map((piece) => `${piece}!`).join(""));
  });

  it("leads to another server, and breaks the connections to the one before", async () => {
    const other = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (chunk) => socket.write(`other ${chunk}`));
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const before = await client();
    before.say("a");
    await before.hears("a!");
    expect(proxy.retarget(portOf(other))).toBe(1);
    expect(await before.gone()).toBe("ECONNRESET");
    const after = await client();
    after.say("b");
    await after.hears("other b");
    expect([asked, proxy.counts.resets]).toEqual([["a"], 1]);
    other.close();
  });

  it("sends away who connects while it refuses", async () => {
    proxy.refuse(true);
    const socket = connect({ host: "127.0.0.1", port: proxy.port });
    const [error] = await once(socket, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    proxy.calm();
    const { say, hears } = await client();
    say("a");
    await hears("a!");
  });
});

function portOf(listener: Server): number {
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return address.port;
}
