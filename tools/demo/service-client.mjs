import { fail } from "./expectations.mjs";

/** The few calls of a generated service's API that the demo makes. */
export class ServiceClient {
  #base;
  #headers;

  constructor(base, operatorToken) {
    this.#base = base;
    this.#headers = { authorization: `Bearer ${operatorToken}` };
  }

  async startSaga(name, input, { wait, key } = {}) {
    const query = wait === undefined ? "" : `?wait=${wait}`;
    const headers = { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) };
    return this.#call(`/api/v1/sagas/${name}${query}`, { method: "POST", headers, body: JSON.stringify({ input }) });
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

  async ledger() {
    const page = await this.#call("/simulated/ledger?limit=200", { headers: this.#headers });
    return page.items ?? page;
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
