import { BusinessRefusal, type Json, type TaskCall, task } from "@clean-arch/runtime";

/**
 * A task that is a function, put beside the definitions that the chaos' service has from its config: each checkpoint calls the participants once,
 * as a stage would. Its places are those of `STOCK_TAKING` in function-shape.ts.
 */
export const stockTaking = task<Json, object>(
  "stock_taking",
  async (call) => {
    const outputs: Record<string, Json> = {};
    const place = async (name: string): Promise<void> => {
      outputs[name] = await call.checkpoint(name, ({ idempotencyKey, signal }) =>
        ask(call, { name, idempotencyKey, signal, outputs: { ...outputs } }),
      );
    };
    await place("count");
    call.progress({ counted: true });
    // Long enough that the run is parked, and goes on anywhere.
    await call.sleep("rest", "6s");
    const sorted = call.patch("sorted-in-three") ? ["sort-1", "sort-2", "sort-3"] : [];
    const before = { ...outputs };
    const results = await Promise.all(
      sorted.map((name) =>
        call.checkpoint(name, ({ idempotencyKey, signal }) =>
          ask(call, { name, idempotencyKey, signal, outputs: before }),
        ),
      ),
    );
    for (const [index, name] of sorted.entries()) outputs[name] = results[index] ?? null;
    await place("report");
    return outputs;
  },
  { timeout: "200s", attemptTimeout: "60s" },
);

interface Asked {
  readonly name: string;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly outputs: Readonly<Record<string, Json>>;
}

const TIMEOUT_MS = 1_500;

async function ask({ runId, attempt }: TaskCall, { name, idempotencyKey, signal, outputs }: Asked): Promise<Json> {
  const response = await fetch(`${process.env.SERVICES_RECORDS_URL}/${name}`, {
    method: "POST",
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    headers: {
      ...{ "content-type": "application/json", "idempotency-key": idempotencyKey, "x-run-id": runId },
      ...{ "x-step": `task/${name}`, "x-attempt": String(attempt), "x-run-fence": "0" },
    },
    body: JSON.stringify({ outputs }),
  });
  if (response.status === 422) throw new BusinessRefusal(`${name} was refused`);
  if (!response.ok) throw new Error(`expected ${name} to be done, got ${response.status}`);
  return (await response.json()) as Json;
}
