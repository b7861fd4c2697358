import { describe, expect, it } from "vitest";
import { checkStanding, type Standing } from "./standing.js";

const over: Standing = { open: [], relayLag: 0, groupLag: 0, parked: [], unready: [] };
const broken = (standing: Partial<Standing>): string[] =>
  checkStanding({ ...over, ...standing }).map(({ rule }) => rule);
const root = (status: Standing["open"][number]["status"]) => ({ id: "run", rootId: "run", definition: "s", status });
const stage = (status: Standing["open"][number]["status"]) => ({ id: "x", rootId: "run", definition: "s.a", status });

describe("when all had its time", () => {
  it("everything is over, or parked where it is seen", () => {
    expect(broken({})).toEqual([]);
    expect(broken({ open: [root("stuck"), stage("stuck"), { ...stage("waiting"), id: "gate" }] })).toEqual([]);
    expect(broken({ open: [root("stuck"), stage("paused")] })).toEqual([]);
  });

  it("no stage of an ended run is left, going on or parked", () => {
    for (const status of ["pending", "running", "waiting", "compensating", "stuck"] as const)
      expect(broken({ open: [stage(status)] }), status).toEqual(["stage left"]);
  });

  it("no stage is parked while its run seems to go on", () => {
    expect(broken({ open: [root("compensating"), stage("stuck")] })).toEqual(["silently parked"]);
  });

  it("no run is stuck that has no stage that is", () => {
    expect(broken({ open: [root("stuck"), stage("waiting")] })).toEqual(["stuck without cause"]);
    expect(broken({ open: [root("stuck")] })).toEqual(["stuck without cause"]);
  });

  it("no event waits, on either side of the broker, and the group is there", () => {
    expect(broken({ relayLag: 1 })).toEqual(["relay lag"]);
    expect(broken({ groupLag: 1 })).toEqual(["group lag"]);
    expect(broken({ groupLag: null })).toEqual(["group lag"]);
    expect(broken({ parked: ["event"] })).toEqual(["parked event"]);
  });

  it("each instance is ready", () => {
    expect(broken({ unready: ["1.1"] })).toEqual(["readiness"]);
  });
});
