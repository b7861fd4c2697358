import type { Machine } from "../machine.js";
import { quotient, type Ratios } from "../ratios.js";
import { knownSpread, roundedSpread, type Spread } from "../statistics.js";
import type { SuiteResult } from "../suite.js";
import type { ContenderName } from "./contenders.js";
import type { Figures } from "./turn.js";

/** What the bench gives: its last line of output, and `results/batch.json`. */
export interface BatchResult extends SuiteResult {
  readonly suite: "batch";
  readonly machine: BatchMachine;
  readonly contenders: readonly ContenderResult[];
  readonly ratios: Ratios<RatioName>;
  readonly details: Ratios<DetailName>;
}

export interface BatchMachine extends Machine {
  readonly postgresDurability: string;
  readonly redisSettings: string;
}

/** See `Measured`; a contender has one scenario. */
export interface ContenderResult extends ContenderFigures {
  readonly name: ContenderName;
  readonly title: string;
  readonly durability: string;
}

interface ContenderFigures {
  readonly itemsPerS: Spread | null;
  readonly peakMb: Spread;
  readonly startAloneMs: Spread | null;
  readonly startBesideMs: Spread | null;
  /** Of one and the same turn: with sleepers against without. */
  readonly startRatio: Spread | null;
  readonly wakeS: Spread | null;
  readonly cpuMs: Spread;
  readonly serverCpuMs: Spread;
}

/** `items_per_s`, `peak_mb` and `wake_10k_s` are figures of ours alone, the others compare two. */
export type RatioName =
  | "items_per_s"
  | "vs_bullmq_single"
  | "vs_bullmq_chunked"
  | "peak_mb"
  | "start_with_100k_sleepers"
  | "wake_10k_s";

/** What is worth knowing beside the ratios, and has nothing to reach. */
export type DetailName = "bullmq_single_items_per_s" | "bullmq_chunked_items_per_s" | "start_ms_p50";

export function contenderFigures(turns: readonly Figures[]): ContenderFigures {
  const known = (value: (figures: Figures) => number | null): Spread | null => knownSpread(turns.map(value));
  return {
    itemsPerS: known(({ itemsPerS }) => itemsPerS),
    peakMb: roundedSpread(turns.map(({ peakMb }) => peakMb)),
    startAloneMs: known(({ startAloneMs }) => startAloneMs),
    startBesideMs: known(({ startBesideMs }) => startBesideMs),
    startRatio: known(({ startAloneMs, startBesideMs }) =>
      startAloneMs === null || startBesideMs === null ? null : startBesideMs / startAloneMs,
    ),
    wakeS: known(({ wakeS }) => wakeS),
    cpuMs: roundedSpread(turns.map(({ cpuMs }) => cpuMs)),
    serverCpuMs: roundedSpread(turns.map(({ serverCpuMs }) => serverCpuMs)),
  };
}

export function ratiosOf(contenders: readonly ContenderResult[]): Ratios<RatioName> {
  const of = finder(contenders);
  const ours = of("clean-arch-batch");
  const sleepers = of("clean-arch-sleepers");
  const speed = (name: ContenderName): number | undefined => of(name)?.itemsPerS?.median;
  return {
    items_per_s: quotient(ours?.itemsPerS?.median, 1),
    vs_bullmq_single: quotient(speed("clean-arch-batch"), speed("bullmq-single")),
    vs_bullmq_chunked: quotient(speed("clean-arch-batch"), speed("bullmq-chunked")),
    peak_mb: quotient(ours?.peakMb.median, 1),
    start_with_100k_sleepers: quotient(sleepers?.startRatio?.median, 1),
    wake_10k_s: quotient(sleepers?.wakeS?.median, 1),
  };
}

export function detailsOf(contenders: readonly ContenderResult[]): Ratios<DetailName> {
  const of = finder(contenders);
  return {
    bullmq_single_items_per_s: quotient(of("bullmq-single")?.itemsPerS?.median, 1),
    bullmq_chunked_items_per_s: quotient(of("bullmq-chunked")?.itemsPerS?.median, 1),
    start_ms_p50: quotient(of("clean-arch-sleepers")?.startAloneMs?.median, 1),
  };
}

function finder(contenders: readonly ContenderResult[]) {
  return (name: ContenderName): ContenderResult | undefined => contenders.find((one) => one.name === name);
}
