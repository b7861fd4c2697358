import { type FaultyProxy, type Nats, startFaultyProxy, startNats } from "@clean-arch/test-servers";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { onTestFinished } from "vitest";
import type { Broker } from "../../broker/broker.js";
import type { BrokerUnderTest } from "../../testing/broker-contract.js";
import type { NatsBrokerOptions } from "./broker-options.js";
import { createNatsBroker } from "./nats-broker.js";

/** Fast enough for tests: what is silent or gone is noticed within a second. */
const QUICK = { pingIntervalMs: 200, watchIntervalMs: 200, callTimeoutMs: 1_000 } as const;

let streams = 0;

/** A stream of one's own on a server that others use as well. */
export function ownStream() {
  streams += 1;
  return { stream: `stream-${streams}`, prefix: `prefix-${streams}` };
}

/** A server that ends with the test. */
export async function nats(...options: Parameters<typeof startNats>): Promise<Nats> {
  const server = await startNats(...options);
  onTestFinished(() => server.remove());
  return server;
}

export async function proxyTo(server: Nats): Promise<FaultyProxy> {
  const proxy = await startFaultyProxy({ to: server.port });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** A broker that closes with the test. */
export function brokerOf(port: number, options: Partial<NatsBrokerOptions> = {}): Broker {
  const broker = createNatsBroker({ servers: `127.0.0.1:${port}`, ...QUICK, ...options });
  onTestFinished(() => broker.close());
  return broker;
}

/** An operator's connection beside the broker's. */
export async function operatorOf(port: number) {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  return { connection, jsm: await jetstreamManager(connection) };
}

/** For the contract: the other broker stands behind a proxy, which cuts it off. */
export async function openPair(server: Nats): Promise<BrokerUnderTest> {
  const { stream, prefix } = ownStream();
  const proxy = await startFaultyProxy({ to: server.port });
  const make = (port: number) => createNatsBroker({ servers: `127.0.0.1:${port}`, stream, prefix, ...QUICK });
  const broker = make(server.port);
  const other = make(proxy.port);
  await Promise.all([broker.open(), other.open()]);
  return {
    ...{ broker, other },
    async crashOther() {
      proxy.refuse(true);
      proxy.silence();
    },
    async lose() {
      const { connection, jsm } = await operatorOf(server.port);
      await jsm.streams.delete(stream);
      await connection.close();
    },
    async close() {
      // What never ends in a test is not waited for.
      proxy.refuse(true);
      proxy.reset();
      await Promise.all([broker.close(), other.close()]);
      await proxy.close();
    },
  };
}
