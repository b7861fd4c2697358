import { once } from "node:events";
import { connect } from "node:net";

/** One command on a connection of its own, for what the bench itself wants to know. Gives a simple, integer or bulk reply as text. */
export async function askRedis(port: number, ...command: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    socket.write(`*${command.length}\r\n${parts.join("")}`);
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      const reply = readReply(text);
      if (reply !== null) return reply;
    }
    throw new Error(`expected Redis to answer ${command[0]}, got the end of the connection`);
  } finally {
    socket.destroy();
  }
}

/** Null: its end is not there yet. Throws for an error, and for kinds of replies that the bench does not ask for. */
function readReply(text: string): string | null {
  const end = text.indexOf("\r\n");
  if (end < 0) return null;
  const line = text.slice(1, end);
  if (text.startsWith("+") || text.startsWith(":")) return line;
  if (!text.startsWith("$")) throw new Error(`expected a reply of Redis, got ${line}`);
  const bulk = text.slice(end + 2);
  return bulk.length < Number(line) + 2 ? null : bulk.slice(0, Number(line));
}

/** What Redis read and wrote on the network since it started. */
export async function redisTraffic(port: number): Promise<{ readonly in: number; readonly out: number }> {
  const info = await askRedis(port, "INFO", "stats");
  const of = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return { in: of("total_net_input_bytes"), out: of("total_net_output_bytes") };
}
