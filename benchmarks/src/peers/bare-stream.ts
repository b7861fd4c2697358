import { AckPolicy, type JsMsg, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Place } from "../events/protocol.js";

/**
 * JetStream by NATS' own client, one process: one connection, a stream in files, a durable pull consumer with explicit acknowledgments.
 * The server's defaults else, so up to 1,000 messages are out unacknowledged, ten times what is in flight; the client asks for that many
 * ahead. Each lane of the load publishes without waiting for the others, so as many publishes are on their way as there are lanes. Messages
 * are handled as they come, side by side; one is acknowledged once it is handled, without waiting for the server's answer, as is usual.
 * `noAsyncTraces`, as ours has it: else a third of the client's time goes into traces for errors that do not happen.
 */
export interface BareStream {
  /** Resolves when the server has acknowledged it. */
  publish(subject: string, value: unknown): Promise<void>;
  close(): Promise<void>;
}

const CONSUMER = "bench";
const AHEAD = 1_000;

/** The handler acknowledges. When it fails the process ends: a message that is not handled makes all figures worthless. */
export async function openBareStream(
  { natsUrl, stream }: Place,
  handle: (message: JsMsg) => Promise<void> | void,
): Promise<BareStream> {
  const connection = await connect({ servers: natsUrl, name: "bare", noAsyncTraces: true });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`], storage: StorageType.File });
  await manager.consumers.add(stream, { durable_name: CONSUMER, ack_policy: AckPolicy.Explicit });
  const client = manager.jetstream();
  const consumer = await client.consumers.get(stream, CONSUMER);
  const messages = await consumer.consume({
    max_messages: AHEAD,
    callback: (message) => void Promise.resolve(handle(message)).catch(fail),
  });
  return {
    publish: async (subject, value) => void (await client.publish(`${stream}.${subject}`, JSON.stringify(value))),
    async close() {
      await messages.close();
      await connection.close();
    },
  };
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
