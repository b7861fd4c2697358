import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.js";

const PING = "*1\r\n$4\r\nPING\r\n";
const SET = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n";
const GET = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";

/** Says OK once for each chunk with a PING or a GET. */
let server: Server;
let proxy: RedisProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => socket.on("data", (chunk) => !chunk.includes("SET") && socket.write("+OK\r\n")));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await startRedisProxy((server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  server.close();
});

async function client(): Promise<(text: string) => Promise<void>> {
  const socket = connect({ host: "127.0.0.1", port: proxy.port, noDelay: true });
  clients.push(socket);
  await once(socket, "connect");
  return async (text) => {
    socket.write(text);
    await once(socket, "data");
  };
}

it("counts commands that are sent together as one round trip, and those that wait for an answer as more", async () => {
  const ask = await client();
  await ask(GET + PING);
  await ask(GET);
  await ask(GET);
  expect(proxy.count).toEqual({ commands: { GET: 3, PING: 1 }, roundTrips: 3 });
});

it("counts commands that do not wait for each other's answers as one round trip, also in pieces", async () => {
  const ask = await client();
  clients[0]?.write(SET);
  await expect.poll(() => proxy.count.commands).toEqual({ SET: 1 });
  await ask(GET);
  expect(proxy.count).toEqual({ commands: { SET: 1, GET: 1 }, roundTrips: 1 });
});

it("counts over all connections, and from zero again", async () => {
  const [one, other] = [await client(), await client()];
  await one(GET);
  await other(PING);
  expect(proxy.count.roundTrips).toBe(2);
  proxy.reset(0);
  expect(proxy.count).toEqual({ commands: {}, roundTrips: 0 });
});

it("holds replies back, never less than it was told", async () => {
  const ask = await client();
  proxy.reset(20);
  const start = performance.now();
  await ask(PING);
  await ask(PING);
  expect(performance.now() - start).toBeGreaterThanOrEqual(40);
});
