import { askUntilAnswered } from "../api.js";
import type { FailedItem, History } from "../history.js";
import { type Instance, OPERATOR_TOKEN } from "../instance.js";
import type { Draws } from "../seeded.js";
import type { ScheduleEnd } from "./oracle/ticks.js";

/** Who can be asked, once nothing goes wrong any more. */
export interface Witnesses {
  readonly instances: readonly Instance[];
  readonly draws: Draws;
}

const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };

/** All pages of a batch's failed items; nothing is noted when one cannot be had. */
export async function noteFailedItems({ instances, draws }: Witnesses, run: string, history: History): Promise<void> {
  const items: FailedItem[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/api/v1/runs/${run}/failed-items?limit=50${from}`;
    const answer = await askUntilAnswered(instances, draws, { path, headers });
    if (answer?.status !== 200) return;
    const page = answer.body as {
      readonly items: readonly { readonly key: string; readonly error: { readonly code: string } }[];
      readonly next_cursor: string | null;
    };
    items.push(...page.items.map(({ key, error }) => ({ key, code: error.code })));
    cursor = page.next_cursor;
  }
  history.add({ kind: "failed-items", at: Date.now(), run, items });
}

/** What the schedules of these definitions, which come every minute, say that they left out. */
export async function askSchedules(
  { instances, draws }: Witnesses,
  definitions: readonly string[],
): Promise<ScheduleEnd[]> {
  const answer = await askUntilAnswered(instances, draws, { path: "/api/v1/schedules", headers });
  const { items = [] } = (answer?.body ?? {}) as {
    readonly items?: readonly { readonly name: string; readonly skipped: number; readonly missed: number }[];
  };
  return definitions.map((definition) => {
    const found = items.find(({ name }) => name === definition);
    return { definition, skipped: found === undefined ? 0 : found.skipped + found.missed, everyMs: 60_000 };
  });
}
