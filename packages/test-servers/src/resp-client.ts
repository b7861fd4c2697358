import { connect } from "node:net";

/** A reply of Redis. Text stays bytes, as keys and values may be any; numbers stay text, as they have 64 bits. */
export type Reply = Buffer | null | RedisError | readonly Reply[];

/** What the server refused, in its words: `MOVED 3999 127.0.0.1:6381`. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/**
 * Asks the Redis on this port of the loopback address one command, on a connection of its own: nothing of a session (`MULTI`,
 * `ASKING`, `SELECT`) lasts until the next. Waits as long as the server does not answer, or until the signal; throws
 * RedisError when it refuses.
 */
export function askRedis(
  port: number,
  command: readonly (string | Buffer)[],
  signal?: AbortSignal,
): Promise<Exclude<Reply, RedisError>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = Buffer.alloc(0);
    const abort = (): void => void socket.destroy(new Error("no answer in time"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    // Not the socket's own `signal`: one signal watches over many commands, and each takes its listener along.
    const leave = (): void => {
      signal?.removeEventListener("abort", abort);
      socket.destroy();
    };
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const parsed = parseReply(received, 0);
        if (parsed === null) return;
        if (parsed.reply instanceof RedisError) reject(parsed.reply);
        else resolve(parsed.reply);
      } catch (error) {
        reject(error);
      }
      leave();
    });
    const fail = (got: string, cause?: Error): void => {
      leave();
      reject(new Error(`expected Redis on port ${port} to answer ${command[0]}, got ${got}`, { cause }));
    };
    socket.on("error", (error) => fail(error.message, error));
    // Harmless after an answer: a promise is settled once.
    socket.on("close", () => fail("the end of the connection; was the server killed?"));
    socket.write(written(command));
  });
}

/** As `redis-cli` writes it into a pipe: lists one element a line, nothing for nil. */
export function replyText(reply: Reply): string {
  if (reply === null) return "";
  if (reply instanceof RedisError) return reply.message;
  return Buffer.isBuffer(reply) ? reply.toString() : reply.map(replyText).join("\n");
}

function written(command: readonly (string | Buffer)[]): Buffer {
  const words = command.map((word) => Buffer.from(word)).flatMap((word) => [`$${word.byteLength}\r\n`, word, "\r\n"]);
  return Buffer.concat([`*${command.length}\r\n`, ...words].map((part) => Buffer.from(part)));
}

/** Null: it is not complete yet. `next`: where the one after it would begin. */
function parseReply(bytes: Buffer, start: number): { readonly reply: Reply; readonly next: number } | null {
  const end = bytes.indexOf("\r\n", start);
  if (end < 0) return null;
  const line = bytes.subarray(start + 1, end);
  const next = end + 2;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  switch (kind) {
    case "+":
    case ":":
      return { reply: line, next };
    case "-":
      return { reply: new RedisError(line.toString()), next };
    case "$": {
      const size = Number(line);
      if (size < 0) return { reply: null, next };
      return bytes.byteLength < next + size + 2
        ? null
        : { reply: bytes.subarray(next, next + size), next: next + size + 2 };
    }
    case "*":
      return parseList(bytes, Number(line), next);
    default:
      throw new Error(`expected a reply of RESP2, got one that begins with ${JSON.stringify(kind)}; is this a Redis?`);
  }
}

function parseList(bytes: Buffer, length: number, start: number): ReturnType<typeof parseReply> {
  if (length < 0) return { reply: null, next: start };
  const replies: Reply[] = [];
  let next = start;
  while (replies.length < length) {
    const element = parseReply(bytes, next);
    if (element === null) return null;
    replies.push(element.reply);
    next = element.next;
  }
  return { reply: replies, next };
}
