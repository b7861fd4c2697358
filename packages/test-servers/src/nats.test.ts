import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type NatsOptions, startNats } from "./nats.js";
import { waitUntil } from "./wait-until.js";

async function nats(options?: NatsOptions) {
  const server = await startNats(options);
  onTestFinished(() => server.remove());
  return server;
}

/** Speaks the protocol: gives what the server sends until the text is in it. */
async function talk(port: number, says: string, until: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(`CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n${says}`);
  return heard(socket, until);
}

async function heard(socket: Socket, until: string): Promise<string> {
  let text = "";
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes(until)) return text;
  }
  throw new Error(`expected ${until}, got the end of the connection after ${text}`);
}

const ask = (subject: string, body = "") =>
  `SUB answer.* 1\r\nPUB ${subject} answer.a ${Buffer.byteLength(body)}\r\n${body}\r\n`;
const makeStream = ask("$JS.API.STREAM.CREATE.s", '{"name":"s","subjects":["s.>"],"storage":"file"}');
const publish = ask("s.a", "hello");

describe("a NATS of one's own", () => {
  it("keeps streams, and what it acknowledged when it is killed", async () => {
    const server = await nats();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    await talk(server.port, makeStream, '"did_create":true');
    for (let n = 1; n <= 20; n += 1) await talk(server.port, publish, `"seq":${n}`);
    const before = server.pid;
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.start();
    expect(server.pid).not.toBe(before);
    expect(await talk(server.port, publish, '"seq"')).toContain('"seq":21');
  });

  it("forgets what was written after its streams were copied, when the copy is put back", async () => {
    const server = await nats();
    await talk(server.port, makeStream, '"did_create":true');
    await talk(server.port, publish, '"seq":1');
    await expect(server.keepStreams()).rejects.toThrow("expected a stopped NATS for keepStreams");
    await server.stop();
    await server.keepStreams();
    await server.start();
    await talk(server.port, publish, '"seq":2');
    await server.kill();
    await server.putBackStreams();
    await server.start();
    expect(await talk(server.port, publish, '"seq"')).toContain('"seq":2');
  });

  it("answers nothing while it is paused, and everything afterwards", async () => {
    const server = await nats();
    const socket = connect(server.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "data");
    server.pause();
    // A signal is sent, not carried out: its threads stop one after the other, and one that still runs may answer.
    await waitUntil("every thread to be stopped", async () => (isStopped(server.pid) ? null : "one that runs"));
    let answered = false;
    socket.write("CONNECT {}\r\nPING\r\n");
    const answer = heard(socket, "PONG").finally(() => {
      answered = true;
    });
    // The kernel accepts connections for a paused process: when a later one stands, the first has had its time.
    for (let n = 0; n < 20; n += 1) {
      const other = connect(server.port, "127.0.0.1");
      await once(other, "connect");
      other.destroy();
    }
    expect(answered).toBe(false);
    server.resume();
    expect(await answer).toContain("PONG");
  });

  it("has the settings that it was told, or no streams at all", async () => {
    const small = await nats({ config: "max_payload: 65536" });
    expect(await talk(small.port, "", "\r\n")).toContain('"max_payload":65536');
    const without = await nats({ jetstream: false });
    expect(await talk(without.port, makeStream, "503")).toContain("NATS/1.0 503");
  });

  it("starts twice and stops twice, and leaves nothing behind when it is removed while paused", async () => {
    const server = await nats();
    const { pid, folder } = server;
    await Promise.all([server.start(), server.start()]);
    expect(server.pid).toBe(pid);
    server.pause();
    await Promise.all([server.stop(), server.stop()]);
    expect(() => server.pause()).toThrow("expected a running NATS for SIGSTOP, got one that is stopped");
    await server.start();
    await writeFile(join(folder, "more"), "");
    server.pause();
    await server.remove();
    expect([existsSync(folder), server.pid]).toEqual([false, undefined]);
  });

  it("says why a start failed, and does not take another server on its port for its own", async () => {
    await expect(startNats({ config: "no_such_setting: {" })).rejects.toThrow(/expected NATS to start, got:\n.+/);
    const { port } = await nats();
    await expect(startNats({ port })).rejects.toThrow("address already in use");
  });
});

function isStopped(pid: number | undefined): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => readFileSync(join(tasks, task, "stat"), "utf8").includes(") T "));
}
