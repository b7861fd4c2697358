/**
 * Prometheus text format without a client library: one counter and one histogram of our own, the rest is read from the
 * runtime and the process when asked.
 */
import type { Telemetry } from "../../application/ports/telemetry.js";

/** One family: samples by their labels. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Appended to the family's name: `_bucket`, `_sum`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Families of other parts, read at each scrape. */
export type MetricSource = () => Promise<readonly MetricFamily[]>;

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: number[];
  count: number;
  sum: number;
}

export function createTelemetry(sources: readonly MetricSource[]): Telemetry {
  // Bounded: methods, route patterns and statuses are finite sets.
  const requests = new Map<string, Series>();

  return {
    request({ method, route, status, seconds }) {
      const labels = { method, route, status: String(status) };
      const key = `${method} ${route} ${status}`;
      const series = requests.get(key) ?? { labels, buckets: BUCKETS_SECONDS.map(() => 0), count: 0, sum: 0 };
      requests.set(key, series);
      series.count += 1;
      series.sum += seconds;
      for (const [index, bound] of BUCKETS_SECONDS.entries()) {
        if (seconds <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
      }
    },
    async text() {
      const others = await Promise.all(sources.map((source) => source()));
      const families = [requestFamily([...requests.values()]), ...processFamilies(), ...others.flat()];
      return families.map(familyText).join("");
    },
  };
}

function requestFamily(series: readonly Series[]): MetricFamily {
  const samples = series.flatMap(({ labels, buckets, count, sum }): Sample[] => [
    ...buckets.map((value, index) => ({
      suffix: "_bucket",
      labels: { ...labels, le: String(BUCKETS_SECONDS[index]) },
      value,
    })),
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ]);
  return { name: "http_request_duration_seconds", help: "Time to answer a request.", type: "histogram", samples };
}

function processFamilies(): MetricFamily[] {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type: "gauge",
    samples: [{ value }],
  });
  return [
    { ...gauge("process_cpu_seconds_total", "CPU time used.", (cpu.user + cpu.system) / 1e6), type: "counter" },
    gauge("process_resident_memory_bytes", "Resident memory.", memory.rss),
    gauge("nodejs_heap_size_used_bytes", "Used heap.", memory.heapUsed),
    gauge("process_uptime_seconds", "Time since the start.", process.uptime()),
  ];
}

function familyText({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(({ suffix = "", labels, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, escapeLabel)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escapeLabel = (character: string): string => (character === "\n" ? "\\n" : `\\${character}`);
