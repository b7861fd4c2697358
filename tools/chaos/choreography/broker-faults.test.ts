import { expect, it } from "vitest";
import { brokerFaults } from "./broker-faults.js";

it("the broker's faults of a seed are always the same, begin the same however long it goes on, and are of all kinds", () => {
  const planned = brokerFaults(1, 60_000, 1);
  expect(brokerFaults(1, 60_000, 1)).toEqual(planned);
  expect(brokerFaults(2, 60_000, 1)).not.toEqual(planned);
  expect(brokerFaults(1, 30_000, 1)).toEqual(planned.filter(({ at }) => at < 30_000));
  const kinds = ["nats-kill", "nats-pause", "nats-rewind", "group-deleted", "stream-deleted", "duplicates"];
  expect(new Set(planned.map(({ fault }) => fault.kind))).toEqual(new Set(kinds));
  expect(brokerFaults(1, 600_000, 0.5).length).toBeLessThan(brokerFaults(1, 600_000, 1).length * 0.6);
});
