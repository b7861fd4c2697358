import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface HttpAnswer {
  readonly status: number;
  /** The status line and the headers, as they came. */
  readonly head: string;
  readonly body: string;
}

/**
 * A kept connection to an HTTP/1.1 server, with one request at a time on it. It does as little as possible, because it shares the
 * machine with what it measures: requests are prebuilt bytes, and an answer is framed by its content-length and by nothing else.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #waiting: { readonly resolve: (answer: HttpAnswer) => void; readonly reject: (error: Error) => void } | null = null;
  /** The beginning of an answer whose rest is still on its way. */
  #begun: Buffer | null = null;
  #failure: Error | null = null;

  private constructor(port: number) {
    this.#socket = connect({
      ...{ host: "127.0.0.1", port, noDelay: true },
      // One buffer for all that is read: no stream in between, and nothing to collect.
      onread: {
        buffer: Buffer.allocUnsafe(65_536),
        callback: (read, buffer) => {
          this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, read));
          return true;
        },
      },
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("expected an answer, got the end of the connection")));
  }

  static async open(port: number): Promise<HttpConnection> {
    const connection = new HttpConnection(port);
    await once(connection.#socket, "connect");
    return connection;
  }

  /** Calls one of the two when the answer is there, or will not come. */
  send(request: Buffer, resolve: (answer: HttpAnswer) => void, reject: (error: Error) => void): void {
    if (this.#failure !== null) return reject(this.#failure);
    this.#waiting = { resolve, reject };
    this.#socket.write(request);
  }

  ask(request: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => this.send(request, resolve, reject));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(read: Buffer): void {
    const bytes = this.#begun === null ? read : Buffer.concat([this.#begun, read]);
    let answer: HttpAnswer | null;
    try {
      answer = readAnswer(bytes);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(`${error}`));
      return;
    }
    if (answer === null) {
      // The buffer that was read into is used again.
      this.#begun = Buffer.from(bytes);
      return;
    }
    this.#begun = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#failure);
    this.#socket.destroy();
  }
}

/** Null: its end is not there yet. Throws for one that is longer than it says, or does not say how long it is. */
export function readAnswer(bytes: Buffer): HttpAnswer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = bytes.toString("latin1", 0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`expected a content-length, got:\n${head}`);
  const from = end + 4;
  const to = from + Number(length);
  if (bytes.length < to) return null;
  if (bytes.length > to) throw new Error(`expected one answer, got more:\n${bytes.toString("latin1")}`);
  return { status: Number(head.slice(9, 12)), head, body: bytes.toString("latin1", from, to) };
}
