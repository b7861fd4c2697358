import type { Consumer, Relay } from "@clean-arch/runtime";
import type { MetricFamily, MetricSource, Sample } from "./metrics.js";

/** What is counted of events. */
export interface EventCounts {
  /** Events that this process has committed with their rows, by type. */
  readonly published: ReadonlyMap<string, number>;
  /** Null: the outbox is the broker. */
  readonly relay: Relay | null;
  readonly consumers: readonly Consumer[];
}

/** Events by type, and what became of them in each group. Of a group whose broker does not answer it is not known what waits. */
export function eventMetrics({ published, relay, consumers }: EventCounts): MetricSource {
  return async () => {
    const ofGroups = (count: (consumer: Consumer) => number): Sample[] =>
      consumers.map((consumer) => ({ labels: { group: consumer.group }, value: count(consumer) }));
    const ofRelay = (value: number | undefined): Sample[] =>
      relay === null || value === undefined ? [] : [{ labels: { group: relay.group }, value }];
    const waiting = await Promise.all([
      ...consumers.map(({ group, lag }) => sampleOf(group, lag)),
      ...(relay === null ? [] : [sampleOf(relay.group, async () => (await relay.lag()).waiting)]),
    ]);
    const types = [...published].map(([type, value]) => ({ labels: { type }, value }));
    const parked = [...ofGroups(({ counts }) => counts.parked), ...ofRelay(relay?.counts.parked)];
    return [
      counter("published", "Events committed with what they tell of.", types),
      counter("relayed", "Events that the broker took, again ones included.", ofRelay(relay?.counts.published)),
      counter(
        "consumed",
        "Events handled.",
        ofGroups(({ counts }) => counts.handled),
      ),
      counter(
        "duplicate",
        "Events that came again after they were handled.",
        ofGroups(({ counts }) => counts.duplicates),
      ),
      counter(
        "failed",
        "Attempts that failed; another follows, or the event is parked.",
        ofGroups(({ counts }) => counts.failed),
      ),
      counter("parked", "Events that could not be handled, or published.", parked),
      {
        name: "clean_arch_events_waiting",
        help: "Events of the group not handled yet.",
        type: "gauge",
        samples: waiting.flat(),
      },
    ];
  };
}

function counter(what: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name: `clean_arch_events_${what}_total`, help, type: "counter", samples };
}

async function sampleOf(group: string, read: () => Promise<number>): Promise<Sample[]> {
  try {
    return [{ labels: { group }, value: await read() }];
  } catch {
    return [];
  }
}
