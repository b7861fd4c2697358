import type { Json } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import type { StepCall } from "../../saga/definition.js";
import { withClaimedRecords } from "./claimed-records.js";
import type { Planted } from "./planted.js";

/** Bugs around the items of a list. */
export const mapBugs: Readonly<Record<string, () => Planted>> = {
  "the items of a list share one key": () => ({
    participant: (participant) =>
      withItem(participant, (call) => ({ ...call, idempotencyKey: call.idempotencyKey.replace(/items\[\d+\]\//, "") })),
  }),
  "an item is sent in the place of another": () => ({
    participant: (participant) => {
      let last: Json = "simulated: none";
      return withItem(participant, (call) => {
        const item = last;
        last = call.item ?? null;
        return { ...call, item };
      });
    },
  }),
  "a takeover forgets the list": () => ({
    server: (store) => withClaimedRecords(store, (records) => records.filter(({ kind }) => kind !== "expanded")),
  }),
};

function withItem(participant: Participant, change: (call: StepCall) => StepCall): Participant {
  return {
    ...participant,
    perform: (target, call) => participant.perform(target, call.index === undefined ? call : change(call)),
  };
}
