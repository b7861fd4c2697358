import { groupedBy } from "../../grouped-by.js";
import type { Seen, Violation } from "../../oracle/seen.js";

/** What a schedule says about itself in the end. */
export interface ScheduleEnd {
  readonly definition: string;
  /** Ticks that were left out because the run before was not over, as it counts them. */
  readonly skipped: number;
  /** Between two of its ticks, ms. */
  readonly everyMs: number;
}

/** Each tick between the first and the last has exactly one run, or was left out and counted. */
export function checkTicks({ scheduled }: Seen, ends: readonly ScheduleEnd[]): Violation[] {
  return ends.flatMap(({ definition, skipped, everyMs }) => {
    const runs = scheduled.filter((each) => each.definition === definition);
    const ticks = groupedBy(runs, ({ tick }) => Date.parse(tick));
    const doubled = [...ticks.values()].filter((of) => of.length > 1);
    const violations = doubled.map((of): Violation => {
      const [first] = of;
      return {
        rule: "ticks",
        run: first?.run ?? null,
        message: `${of.length} runs of "${definition}" were started for ${first?.tick}: ${of.map(({ run }) => run).join(", ")}`,
      };
    });
    const times = [...ticks.keys()].sort((a, b) => a - b);
    const passed = times.length === 0 ? 0 : ((times.at(-1) ?? 0) - (times[0] ?? 0)) / everyMs + 1;
    if (times.length + skipped >= passed) return violations;
    const message = `"${definition}" had ${passed} ticks, started ${times.length} runs and says that it skipped ${skipped}`;
    return [...violations, { rule: "ticks", run: null, message }];
  });
}
