import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { HttpConnection, readAnswer } from "./http-connection.js";
import { cookieOf, httpRequest } from "./http-request.js";
import { type Exchange, load } from "./load.js";

const servers: Server[] = [];
const connections: HttpConnection[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  for (const server of servers.splice(0)) server.close();
});

async function open(listener: RequestListener, count: number): Promise<HttpConnection[]> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  for (let n = 0; n < count; n += 1) connections.push(await HttpConnection.open(port));
  return connections;
}

const read: Exchange = { request: httpRequest("GET", "/me", "sid=1"), body: "hello" };
const times = (exchange: Exchange, count: number): (() => Exchange | null) => {
  let left = count;
  return () => (left-- > 0 ? exchange : null);
};

it("keeps each connection busy until there is no more to ask, and counts all answers", async () => {
  let inFlight = 0;
  let most = 0;
  const opened = await open((_request, response) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    setImmediate(() => {
      inFlight -= 1;
      response.end("hello");
    });
  }, 3);
  const { requests, latenciesMs } = await load(opened, times(read, 30));
  expect([requests, latenciesMs.length, most]).toEqual([30, 30, 3]);
});

it("stops at the first answer that is another than it has to be", async () => {
  let served = 0;
  const opened = await open((_request, response) => {
    served += 1;
    response.end(served === 5 ? "somebody else's" : "hello");
  }, 1);
  await expect(load(opened, times(read, 30))).rejects.toThrow(
    "GET /me HTTP/1.1: expected 200 and hello, got HTTP/1.1 200 OK and somebody else's",
  );
  expect(served).toBe(5);
});

it("reads an answer that comes in pieces", async () => {
  const opened = await open((_request, response) => {
    response.setHeader("content-length", 5);
    response.write("hel");
    // So many turns of the event loop that the client, which shares it, has read the first piece.
    setImmediate(() => setImmediate(() => setImmediate(() => response.end("lo"))));
  }, 1);
  expect((await load(opened, times(read, 3))).requests).toBe(3);
});

it("fails when the connection ends without an answer", async () => {
  const server = createTcpServer((socket) => socket.on("data", () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connection = await HttpConnection.open((server.address() as AddressInfo).port);
  await expect(load([connection], times(read, 1))).rejects.toThrow("expected an answer, got the end of the connection");
  server.close();
});

it("refuses an answer that does not say how long it is, or is longer", () => {
  const answer = (text: string): Buffer => Buffer.from(`HTTP/1.1 200 OK\r\n${text}`);
  expect(() => readAnswer(answer("transfer-encoding: chunked\r\n\r\n"))).toThrow("expected a content-length");
  expect(() => readAnswer(answer("Content-Length: 2\r\n\r\nabc"))).toThrow("expected one answer, got more");
  expect(readAnswer(answer("Content-Length: 4\r\n\r\nabc"))).toBeNull();
});

it("sends back the cookies that an answer sets", () => {
  const head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/; HttpOnly\r\nset-cookie: b=2";
  expect(cookieOf({ status: 200, head, body: "" })).toBe("a=1; b=2");
});
