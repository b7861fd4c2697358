import { once } from "node:events";
import { connect } from "node:net";

const INBOX = "_INBOX.chaos";
const TIMEOUT_MS = 2_000;
const ANSWER = /MSG _INBOX\.chaos \S+ (?:\S+ )?(\d+)\r\n/;

/**
 * Asks JetStream's API as an operator's tool does, on a connection of its own, in the server's own protocol. Null: no answer came.
 * `api`: the subject behind `$JS.API.`.
 */
export async function askJetStream(port: number, api: string, body = ""): Promise<Record<string, unknown> | null> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  socket.on("error", () => {});
  socket.write(`CONNECT {"verbose":false}\r\nSUB ${INBOX} 1\r\n`);
  socket.write(`PUB $JS.API.${api} ${INBOX} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
  let text = "";
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      const head = ANSWER.exec(text);
      if (head === null) continue;
      const answer = text.slice(head.index + head[0].length);
      if (Buffer.byteLength(answer) >= Number(head[1]) + 2)
        return JSON.parse(answer.slice(0, answer.lastIndexOf("}") + 1));
    }
  } catch {
    // It went away meanwhile.
  } finally {
    if (!socket.closed) {
      socket.destroy();
      await once(socket, "close");
    }
  }
  return null;
}

/** Messages of the group that are not acknowledged, given out or not; null: there is no such group, or nobody answered. */
export async function groupLag(port: number, stream: string, group: string): Promise<number | null> {
  const info = await askJetStream(port, `CONSUMER.INFO.${stream}.${group}`);
  const [pending, unacknowledged] = [info?.num_pending, info?.num_ack_pending];
  return typeof pending === "number" && typeof unacknowledged === "number" ? pending + unacknowledged : null;
}
