import { createCallServer } from "@clean-arch/runtime";
import { CALLS_STREAM, createNatsBroker } from "@clean-arch/runtime/nats";
import { type Nats, startNats } from "@clean-arch/test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startService } from "../integration/service.js";

/** Services that are reached over NATS, as the settings say. */
describe("a service behind NATS", () => {
  let server: Nats;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.remove());

  it("performs its stage, is asked with its headers, and undoes it when a later one says no", async () => {
    const asked: string[] = [];
    const broker = createNatsBroker({ servers: server.url, ...CALLS_STREAM });
    const note = (answer: object) => (call: { endpoint: string; headers: Readonly<Record<string, string>> }) => {
      asked.push(`${call.endpoint} ${call.headers["x-step"]} ${call.headers["x-attempt"]}`);
      return { status: 200, headers: {}, body: JSON.stringify(answer) };
    };
    const paper = createCallServer({
      ...{ broker, service: "paper_service" },
      routes: { "/reserve": note({ sheets: 7 }), "/release": note({}) },
    });
    await paper.start();
    const service = await startService({ SERVICES_PAPER_SERVICE_URL: server.url });
    try {
      expect(service.settings.services).toContainEqual(
        expect.objectContaining({ name: "paper_service", transport: "nats", url: server.url }),
      );
      const run = async (simulate: object) => {
        const started = await service.call("POST", "/api/v1/sagas/print_run?wait=10", { input: { simulate } });
        return (await service.call("GET", `/api/v1/runs/${started.body.id}?wait=10`)).body;
      };
      expect(await run({})).toMatchObject({ status: "completed" });
      expect(asked).toEqual(["/reserve reserve_paper 1"]);
      expect(await run({ book_press: { status: 422 } })).toMatchObject({ status: "compensated" });
      expect(asked.slice(1)).toEqual(["/reserve reserve_paper 1", "/release reserve_paper 1"]);
    } finally {
      await service.close();
      await paper.stop();
      await broker.close();
    }
  });

  it("is behind the server of nats.url when it has no url of its own, and refused without both", async () => {
    const onNats = { SERVICES_PRESS_SERVICE_TRANSPORT: "nats" };
    const service = await startService({ ...onNats, NATS_URL: server.url });
    expect(service.settings.services).toContainEqual(
      expect.objectContaining({ name: "press_service", transport: "nats", url: server.url }),
    );
    await service.close();
    await expect(startService(onNats)).rejects.toMatchObject({
      issues: [{ key: "services.press_service.url", expected: expect.stringContaining("nats.url"), got: "nothing" }],
    });
  });

  it("does not keep the service from starting while its server is away", async () => {
    const service = await startService({ SERVICES_PAPER_SERVICE_URL: "nats://127.0.0.1:9" });
    expect((await service.call("GET", "/health/ready")).status).toBe(200);
    await service.close();
  });
});
