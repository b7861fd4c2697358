/** Yours: what on_bound_volume_created does about an event. */
import { cloudEvent } from "@clean-arch/runtime";
import { expect, test } from "vitest";
import type { EventDeps } from "../../../src/application/event-handlers/event-handler.generated.js";
import { onBoundVolumeCreated } from "../../../src/application/event-handlers/on-bound-volume-created.js";

test("on_bound_volume_created handles bound_volume.created", async () => {
  const told: object[] = [];
  const say = (facts: object): void => void told.push(facts);
  const deps = { logger: { debug: say, info: say, warn: say, error: say } } as unknown as EventDeps;
  const event = cloudEvent({
    source: "/services/this-service",
    type: "bound_volume.created",
    subject: "one",
    data: {},
  });
  const context = { attempt: 1, signal: new AbortController().signal, publish: () => {} };
  await onBoundVolumeCreated(event, deps, context);
  expect(told).toMatchObject([{ event: event.id, type: "bound_volume.created", subject: "one" }]);
});
