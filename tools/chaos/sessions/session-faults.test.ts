import { expect, it } from "vitest";
import { sessionFaults } from "./session-faults.js";

it("the faults of a seed are always the same, all kinds are among them, and each pause is beyond the timeout", () => {
  const planned = sessionFaults(1, 60_000, 500);
  expect(sessionFaults(1, 60_000, 500)).toEqual(planned);
  expect(sessionFaults(2, 60_000, 500)).not.toEqual(planned);
  expect(sessionFaults(1, 30_000, 500)).toEqual(planned.filter(({ at }) => at < 30_000));
  const kinds = ["restart", "pause", "kill", "reset", "silence", "swallow", "slow"];
  expect(new Set(planned.map(({ fault }) => fault.kind))).toEqual(new Set(kinds));
  for (const { fault } of planned) if (fault.kind === "pause") expect(fault.forMs).toBeGreaterThan(500);
});
