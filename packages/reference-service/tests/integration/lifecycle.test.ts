import { connect } from "node:net";
import type { StepDefinition } from "@clean-arch/runtime";
import { describe, expect, it } from "vitest";
import { definitions } from "../../src/application/sagas/definitions.generated.js";
import { PROJECT, SERVICES } from "../../src/infrastructure/config/project.generated.js";
import type { Settings } from "../../src/infrastructure/config/settings.js";
import { startService } from "./service.js";

/** A stage of a plain saga that some other service performs, so that here it is simulated and can be told to take its time. */
const slow = definitions
  .flatMap((definition) => ("waves" in definition ? [definition] : []))
  .filter(({ waves }) => waves.flatMap(({ steps }) => steps).every((step) => serviceOf(step) !== null))
  .flatMap(({ name, waves }) => waves.flatMap(({ steps }) => steps.map((step) => ({ saga: name, step }))))
  .find(({ step }) => SERVICES.some(({ name, transport }) => name === serviceOf(step) && transport !== "local"));

/** Null: the step needs more than its service. */
function serviceOf(step: StepDefinition): string | null {
  const isPlain = step.kind === "action" && step.when === undefined && step.input === undefined;
  return isPlain && "service" in step.action ? step.action.service : null;
}

describe(`${PROJECT.name}, starting and stopping`, () => {
  it("leaves nothing behind when a start fails half way, and can start again", async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((resource) => /Timeout|TCPServer/.test(resource)).length;
    const before = timers();
    const http = (settings: Settings) => ({ ...settings.app.http, body_limit: -1 });
    const broken = (settings: Settings) => ({ ...settings, app: { ...settings.app, http: http(settings) } });
    // Twice, because meanwhile one timer that is not ours may have gone.
    await expect(startService({}, broken)).rejects.toThrow(/bodyLimit/);
    await expect(startService({}, broken)).rejects.toThrow(/bodyLimit/);
    expect(timers()).toBeLessThanOrEqual(before);
    const service = await startService();
    expect((await service.call("GET", "/health/ready")).status).toBe(200);
    await service.close();
  });

  it("closes once, however often it is asked", async () => {
    const service = await startService();
    await Promise.all([service.container.close(), service.container.close()]);
    await service.close();
    await expect(service.call("GET", "/health/live")).rejects.toThrow();
  });

  it.skipIf(slow === undefined)("ends waits and event streams when it stops", async () => {
    const service = await startService();
    const input = { simulate: { [slow?.step.name ?? ""]: { delay_ms: 1_500 } } };
    const path = `/api/v1/sagas/${slow?.saga}`;
    const { id } = (await service.call("POST", path, { input })).body;
    const stream = await fetch(`${service.url}/api/v1/runs/${id}/events`);
    const waiting = service.call("POST", `${path}?wait=60`, { input }, { "idempotency-key": "one" });
    await untilStarted(service.url, 2);
    const closing = service.container.close();
    expect((await waiting).status).toBe(202);
    expect(await stream.text()).not.toMatch(/event: end/);
    await closing;
    await service.close();
  });

  it("does not wait for clients that never send their request", async () => {
    const service = await startService();
    const { port } = new URL(service.url);
    const socket = connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await service.close();
    await ended;
  });

  async function untilStarted(url: string, runs: number): Promise<void> {
    for (;;) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const active = /^clean_arch_active_runs (\d+)$/m.exec(text)?.[1];
      if (Number(active) >= runs) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});
