/** A client of the generated service that places orders of every kind, and judges what became of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { OPERATOR_TOKEN } from "./generated-service.js";

export interface Run {
  readonly id: string;
  readonly status: string;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
}

interface Effect {
  readonly key: string;
  readonly run: string;
  readonly stage: string;
  readonly kind: "forward" | "compensate";
}

/** The kind of order by its number: every way a run can go. */
const KINDS: readonly { readonly end: string; readonly simulate: object }[] = [
  { end: "completed", simulate: {} },
  { end: "completed", simulate: { process_payment: { delay_ms: 300 }, ship_order: { delay_ms: 200 } } },
  { end: "compensated", simulate: { process_payment: { status: 402, delay_ms: 200 } } },
  { end: "completed", simulate: { reserve_inventory: { fail_times: 2 } } },
  {
    end: "stuck",
    simulate: { ship_order: { status: 410, delay_ms: 150 }, process_payment: { compensate: { status: 422 } } },
  },
];
export const kindOf = (order: number) => KINDS[order % KINDS.length] as (typeof KINDS)[number];

export const asOperator = { authorization: `Bearer ${OPERATOR_TOKEN}` };

/** Asks the instances in turn; any of them may be down. */
export class OrderClient {
  readonly #urls: readonly string[];
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Starts it once, however often that has to be asked for. */
  placeOrder(order: number, simulate: object = kindOf(order).simulate): Promise<{ readonly id: string }> {
    return this.post(
      "/api/v1/sagas/order_processing",
      { input: { order, simulate } },
      { "idempotency-key": `${order}` },
    );
  }

  async untilStatus(id: string, status: string): Promise<Run> {
    for (;;) {
      const run: Run = await this.get(`/api/v1/runs/${id}`);
      if (run.status === status) return run;
      const ends = ["completed", "compensated", "failed", "cancelled", "stuck"];
      expect(ends, `${id}, expected ${status}`).not.toContain(run.status);
      await sleep(50);
    }
  }

  async ledger(): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = await this.get<{ items: Effect[]; next_cursor: string | null }>(
        `/simulated/ledger?limit=200${more}`,
      );
      effects.push(...page.items);
      cursor = page.next_cursor;
    }
    return effects;
  }

  get<Body>(path: string, headers: Record<string, string> = {}): Promise<Body> {
    return this.#answered((url) => fetch(`${url}${path}`, { headers }));
  }

  post<Body>(path: string, body: object, headers: Record<string, string> = {}): Promise<Body> {
    const type = { "content-type": "application/json" };
    const request = { method: "POST", headers: { ...type, ...headers }, body: JSON.stringify(body) };
    return this.#answered((url) => fetch(`${url}${path}`, request));
  }

  /** As a client does it: asks again until there is an answer. */
  async #answered<Body>(call: (url: string) => Promise<Response>): Promise<Body> {
    for (;;) {
      const url = this.#urls[this.#turn++ % this.#urls.length] ?? "";
      try {
        const response = await call(url);
        const body = await response.json();
        if (response.ok) return body as Body;
        expect(response.status, JSON.stringify(body)).toBeGreaterThanOrEqual(500);
      } catch (error) {
        // The process is gone, or went in the middle of its answer.
        if (!(error instanceof TypeError)) throw error;
      }
      await sleep(25);
    }
  }
}

/** Resolves when the instance advances runs. */
export async function untilActive(url: string): Promise<void> {
  const client = new OrderClient([url]);
  for (;;) {
    const ready = await client.get<{ dependencies: { runs: { detail: string } } }>("/health/ready");
    if (ready.dependencies.runs.detail === "active") return;
    await sleep(25);
  }
}

/** Every effect once per key; of a completed run all, of an undone one each with what undoes it. */
export function checkEffects(runs: readonly Run[], effects: readonly Effect[]): void {
  expect(new Set(effects.map(({ key }) => key)).size).toBe(effects.length);
  for (const { id, status, steps } of runs) {
    const done = (kind: Effect["kind"]) =>
      effects.filter((effect) => effect.run === id && effect.kind === kind).map(({ stage }) => stage);
    if (status === "completed") {
      expect(done("forward")).toEqual(["reserve_inventory", "process_payment", "ship_order"]);
      expect(done("compensate")).toEqual([]);
      expect(steps.every((step) => step.status === "completed")).toBe(true);
    } else if (status === "compensated") {
      // A call that a kill cut off may have run, so its step is undone as well, effect or not.
      const undone = done("compensate");
      expect(undone.filter((stage) => done("forward").includes(stage))).toEqual(done("forward").reverse());
      expect(["process_payment", "reserve_inventory"]).toEqual(expect.arrayContaining(undone));
    } else expect(done("forward")).toEqual(["reserve_inventory", "process_payment"]);
  }
}
