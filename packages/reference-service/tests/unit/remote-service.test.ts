import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { StepCall } from "@clean-arch/runtime";
import { expect, test } from "vitest";
import { httpService } from "../../src/infrastructure/container/remote-service.js";

test("an answer that points at a wrong url, token or endpoint is logged as such", async () => {
  const server = createServer((_request, response) => void response.writeHead(404).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const lines: { facts: object; text: string }[] = [];
    const note = (facts: object, text: string): void => void lines.push({ facts, text });
    const logger = { debug: note, info: note, warn: note, error: note };
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const service = httpService({ name: "stock", transport: "http", url, headers: {} }, url, logger);
    const call: StepCall = {
      ...{ runId: "r", stage: "reserve", idempotencyKey: "r:reserve", attempt: 1, fence: 1, outputs: {} },
      ...{ input: {}, isMapped: false, timeoutMs: 30_000, runInput: {} },
      context: { get: () => ({}), patch() {}, checkpoint: async () => {} },
      transaction: () => Promise.reject(new Error("no store here")),
      signal: new AbortController().signal,
      ...{ heartbeat() {}, heartbeatMs: null, heartbeatDetails: null },
    };
    expect(await service.perform({ service: "stock", endpoint: "/reserve" }, call)).toMatchObject({ retry: true });
    expect(lines).toMatchObject([{ facts: { service: "stock", status: 404 }, text: expect.stringContaining("url") }]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
