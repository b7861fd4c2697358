import { fail } from "./expectations.mjs";

/** The few calls of a generated service's API that the demo makes. */
export class ServiceClient {
  #base;
  #headers;

  constructor(base, operatorToken) {
    this.#base = base;
    this.#headers = { authorization: `Bearer ${operatorToken}` };
  }

  startSaga(name, input, { wait, key } = {}) {
    return this.#start(`/api/v1/sagas/${name}${wait === undefined ? "" : `?wait=${wait}`}`, input, key);
  }

  startTask(name, input, { key }) {
    return this.#start(`/api/v1/tasks/${name}`, input, key);
  }

  #start(path, input, key) {
    const headers = { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) };
    return this.#call(path, { method: "POST", headers, body: JSON.stringify({ input }) });
  }

  run(id) {
    return this.#call(`/api/v1/runs/${id}`);
  }

  async journal(id) {
    const page = await this.#call(`/api/v1/runs/${id}/journal`, { headers: this.#headers });
    return page.items ?? page;
  }

  async instances() {
    return (await this.#call("/api/v1/instances", { headers: this.#headers })).items;
  }

  /** Of one run, or of all. */
  ledger(run) {
    return this.#pages(`/simulated/ledger?${run === undefined ? "" : `run=${run}&`}`);
  }

  orders() {
    return this.#pages("/api/v1/orders?");
  }

  /** Everything that a list has. */
  async #pages(path) {
    const items = [];
    let cursor = null;
    do {
      const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await this.#call(`${path}limit=200${from}`, { headers: this.#headers });
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return items;
  }

  async untilStep(id, name, status) {
    await this.#until(
      () => this.run(id),
      (run) => run.steps.some((step) => step.name === name && step.status === status),
      15_000,
      `${name} to be ${status}`,
    );
  }

  async waitForEnd(id, timeoutMs) {
    const ends = ["completed", "compensated", "failed", "cancelled", "stuck"];
    return this.#until(
      () => this.run(id),
      (run) => ends.includes(run.status),
      timeoutMs,
      "the run to end",
    );
  }

  async #until(look, good, timeoutMs, what) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const seen = await look();
      if (good(seen)) return seen;
      if (Date.now() > deadline) fail(`expected ${what} within ${timeoutMs} ms, got ${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #call(path, options = {}) {
    const response = await fetch(`${this.#base}${path}`, options);
    const text = await response.text();
    if (!response.ok) fail(`expected ${options.method ?? "GET"} ${path} to succeed, got ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
