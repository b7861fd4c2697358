import { startNats } from "@clean-arch/test-servers";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

/** One NATS server for all contenders of a bench, as a fresh installation is. Each turn has a stream of its own. */
export interface BrokerServer {
  readonly pid: number;
  readonly url: string;
  readonly version: string;
  /** Harmless when there is no such stream. */
  drop(stream: string): Promise<void>;
  stop(): Promise<void>;
}

/** What is said of it beside figures. */
export const NATS_DURABILITY =
  "streams in files, one copy; a message is acknowledged once it is written, and synced at the server's own interval (default 2 minutes)";

export async function startBrokerServer(): Promise<BrokerServer> {
  const server = await startNats();
  const connection = await connect({ servers: server.url, name: "bench" });
  const manager = await jetstreamManager(connection);
  return {
    pid: server.pid ?? 0,
    url: server.url,
    version: connection.info?.version ?? "unknown",
    async drop(stream) {
      for await (const name of manager.streams.names()) if (name === stream) await manager.streams.delete(stream);
    },
    async stop() {
      await connection.close();
      await server.remove();
    },
  };
}
