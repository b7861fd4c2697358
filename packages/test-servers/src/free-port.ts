import { createServer } from "node:net";

/** A TCP port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("expected a port of the loopback address, got none");
  return port;
}

/** So many different ones: all are held until the last is found, or the system could give one of them twice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, hold));
  await Promise.all(held.map(({ release }) => release()));
  return held.map(({ port }) => port);
}

function hold(): Promise<{ readonly port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address !== "object" || address === null)
        return void reject(new Error("expected a port of the loopback address, got none"));
      const release = (): Promise<void> => new Promise((released) => void server.close(() => released()));
      resolve({ port: address.port, release });
    });
  });
}
