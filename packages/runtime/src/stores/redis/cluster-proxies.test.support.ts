import { type FaultyProxy, type RedisCluster, startFaultyProxy } from "@clean-arch/test-servers";
import { sleep, systemPorts } from "../../ports.js";

/** A faulty network before each node: the nodes say that they are where their proxies are, and so clients go there. */
export async function announceProxies(
  cluster: RedisCluster,
): Promise<{ readonly urls: readonly string[]; readonly proxies: readonly FaultyProxy[]; close(): Promise<void> }> {
  const { nodes } = cluster;
  const proxies = await Promise.all(nodes.map(({ port }) => startFaultyProxy({ to: port })));
  const announce = async (portOf: (index: number) => number, shown: readonly number[]): Promise<void> => {
    for (const [index, node] of nodes.entries())
      await node.command("CONFIG", "SET", "cluster-announce-port", String(portOf(index)));
    const know = async (): Promise<boolean> => {
      const told = await Promise.all(nodes.map((node) => node.command("CLUSTER", "SLOTS")));
      return told.every((slots) => shown.every((port) => slots.split("\n").includes(String(port))));
    };
    while (!(await know())) await sleep(systemPorts.clock, 20);
  };
  const ports = proxies.map(({ port }) => port);
  await announce((index) => ports[index] ?? 0, ports);
  return {
    ...{ proxies, urls: ports.map((port) => `redis://127.0.0.1:${port}`) },
    async close() {
      await announce(
        () => 0,
        nodes.map(({ port }) => port),
      );
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
