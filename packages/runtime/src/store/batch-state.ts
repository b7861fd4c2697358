import type { Failure } from "../engine/records.js";
import type { BatchProgress, BatchStatus, OpenBatch } from "./batch-store.js";

/**
 * What a store keeps of a batch beside its chunks and failed items, and the rules by which it changes. Stores that run one call at a time
 * apply them as they are; the statements of PostgreSQL say the same.
 */
export interface BatchState {
  readonly run: string;
  status: BatchStatus;
  round: number;
  /** The run knows of the end, or of the halt, in this round. */
  told: boolean;
  readonly concurrency: number;
  readonly maxFailures: number | null;
  readonly maxFailureRatio: number | null;
  readonly rateMax: number | null;
  readonly rateWindowMs: number | null;
  leader: string | null;
  leadFence: number;
  /** JSON text. */
  cursor: string;
  /** Number of the next chunk. */
  next: number;
  isEnd: boolean;
  total: number | null;
  /** Items. */
  planted: number;
  done: number;
  failed: number;
  skipped: number;
  /** What failed, and what was settled, before it was last opened again: the budget is judged by the rest. */
  forgivenFailed: number;
  forgivenSettled: number;
  /** Chunks that are not settled, and those of them that somebody has. */
  openChunks: number;
  ownedChunks: number;
  /** From when on a chunk may begin, by the rate. */
  nextAt: number;
  /** JSON text: why it halted, when the leader said so. */
  failure: string | null;
  /** What failed, of how many, when it halted for that. */
  haltedFailed: number | null;
  haltedSettled: number | null;
  readonly startedAt: number;
  updatedAt: number;
  endedAt: number | null;
  /** How many were settled at two times before, for the rate of the progress. */
  markAt: number;
  markSettled: number;
  priorAt: number;
  priorSettled: number;
}

/** What the settling of chunks adds. */
export interface SettledSums {
  readonly chunks: number;
  /** Of these chunks. */
  readonly owned: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

/** Settled items from which on a ratio says something. */
const RATIO_FROM = 100;
const MARK_MS = 15_000;
/** A chunk that begins this late by the rate counts as punctual, or each call's way to the store would cost some of the rate. */
const PUNCTUAL_MS = 50;

export function newBatch(batch: OpenBatch, round: number, now: number): BatchState {
  return {
    ...{ run: batch.run, status: "open", round, told: false, concurrency: batch.concurrency },
    ...{ maxFailures: batch.maxFailures, maxFailureRatio: batch.maxFailureRatio },
    ...{ rateMax: batch.rateLimit?.max ?? null, rateWindowMs: batch.rateLimit?.windowMs ?? null },
    ...{ leader: null, leadFence: 0, cursor: "null", next: 1, isEnd: false, total: null },
    ...{
      planted: 0,
      done: 0,
      failed: 0,
      skipped: 0,
      forgivenFailed: 0,
      forgivenSettled: 0,
      openChunks: 0,
      ownedChunks: 0,
    },
    ...{ nextAt: now, failure: null, haltedFailed: null, haltedSettled: null },
    ...{ startedAt: now, updatedAt: now, endedAt: null },
    ...{ markAt: now, markSettled: 0, priorAt: now, priorSettled: 0 },
  };
}

/** A round that was not noted yet. */
export function openAgain(batch: BatchState, round: number, now: number): void {
  batch.round = round;
  batch.told = false;
  batch.updatedAt = now;
  if (batch.status !== "halted") return;
  batch.status = "open";
  batch.failure = null;
  batch.haltedFailed = null;
  batch.haltedSettled = null;
  batch.forgivenFailed = batch.failed;
  batch.forgivenSettled = settledOf(batch);
  endIfDone(batch, now);
}

export function countSettled(batch: BatchState, sums: SettledSums, now: number): void {
  batch.openChunks -= sums.chunks;
  batch.ownedChunks -= sums.owned;
  batch.done += sums.done;
  batch.skipped += sums.skipped;
  batch.failed += sums.failed;
  batch.updatedAt = now;
  if (now - batch.markAt >= MARK_MS) {
    batch.priorAt = batch.markAt;
    batch.priorSettled = batch.markSettled;
    batch.markAt = now;
    batch.markSettled = settledOf(batch);
  }
  if (batch.status === "open" && isOverBudget(batch)) haltOverBudget(batch);
  else endIfDone(batch, now);
}

/** Its last chunk is settled, or dropped, and none will be planted. */
export function endIfDone(batch: BatchState, now: number): void {
  if (batch.openChunks > 0) return;
  if (batch.status !== "closing" && !(batch.status === "open" && batch.isEnd)) return;
  if (batch.status === "open" && isOverBudget(batch)) return haltOverBudget(batch);
  batch.status = "ended";
  batch.endedAt = now;
  batch.updatedAt = now;
}

function isOverBudget(batch: BatchState): boolean {
  const failed = batch.failed - batch.forgivenFailed;
  const settled = settledOf(batch) - batch.forgivenSettled;
  if (batch.maxFailures !== null && failed > batch.maxFailures) return true;
  if (batch.maxFailureRatio === null || settled <= 0) return false;
  const isJudged = settled >= RATIO_FROM || (batch.isEnd && batch.openChunks === 0);
  return isJudged && failed / settled > batch.maxFailureRatio;
}

function haltOverBudget(batch: BatchState): void {
  batch.status = "halted";
  batch.haltedFailed = batch.failed - batch.forgivenFailed;
  batch.haltedSettled = settledOf(batch) - batch.forgivenSettled;
}

/** Failed items are tried anew: they are settled no more. */
export function takeFailedBack(batch: BatchState, items: number, now: number): void {
  batch.failed -= items;
  batch.forgivenFailed = Math.max(0, batch.forgivenFailed - items);
  batch.forgivenSettled = Math.max(0, batch.forgivenSettled - items);
  batch.markSettled -= items;
  batch.priorSettled -= items;
  batch.updatedAt = now;
}

/** Whether a chunk of that size may begin by the rate, and if so, that it does. */
export function beginsByRate(batch: BatchState, size: number, now: number): boolean {
  if (batch.rateMax === null) return true;
  if (batch.nextAt > now) return false;
  const from = now - batch.nextAt > PUNCTUAL_MS ? now : batch.nextAt;
  batch.nextAt = from + size * paceOf(batch);
  return true;
}

/** The time that one item has, ms; 0: no limit. */
export function paceOf({ rateMax, rateWindowMs }: Pick<BatchState, "rateMax" | "rateWindowMs">): number {
  return rateMax === null || rateWindowMs === null ? 0 : rateWindowMs / rateMax;
}

function settledOf({ done, failed, skipped }: Pick<BatchState, "done" | "failed" | "skipped">): number {
  return done + failed + skipped;
}

export function progressOf(batch: BatchState, now: number): BatchProgress {
  const { run, status, done, failed, skipped, planted, startedAt, updatedAt, endedAt } = batch;
  return {
    ...{ run, status, failure: failureOf(batch), done, failed, skipped, planted },
    total: batch.isEnd ? planted : batch.total,
    ...{ openChunks: batch.openChunks, ownedChunks: batch.ownedChunks, rate: rateOf(batch, endedAt ?? now) },
    ...{ startedAt, updatedAt, endedAt },
  };
}

/** In a shorter time than this there is nothing to be told from. */
const MIN_RATED_MS = 1_000;

function rateOf(batch: BatchState, until: number): number | null {
  const ms = until - batch.priorAt;
  const settled = settledOf(batch);
  return ms < MIN_RATED_MS || settled === 0 ? null : ((settled - batch.priorSettled) * 1_000) / ms;
}

function failureOf(batch: BatchState): Failure | null {
  if (batch.failure !== null) return JSON.parse(batch.failure) as Failure;
  if (batch.haltedFailed === null) return null;
  const { maxFailures, maxFailureRatio, haltedFailed, haltedSettled } = batch;
  const isByCount = maxFailures !== null && haltedFailed > maxFailures;
  const budget = isByCount ? `${maxFailures} items` : `${maxFailureRatio} of the items`;
  const message = `expected ${budget} to fail at most, got ${haltedFailed} of ${haltedSettled}; look at the failed items, mend the cause, then retry or resume`;
  return { code: "too-many-failures", message };
}
