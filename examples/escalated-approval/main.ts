/**
 * An approval with a deadline: when nobody answers in time, the saga asks the manager's manager and waits once more; when that
 * one is silent too, it is a refusal. The deadlines are short here and days elsewhere: a run that waits costs nothing.
 */
import { createSagaManager, resolveConfig, type SagaManager, saga } from "@clean-arch/runtime";
import { createMemoryRunStore } from "@clean-arch/runtime/memory";

type Expense = { readonly cents: number; readonly by: string };
type Answer = { readonly approved: boolean; readonly by: string } | null;

const asked: string[] = [];
const ask = (who: string, { by, cents }: Expense): void => void asked.push(`${who} about ${cents} of ${by}`);

const expense = saga<Expense>("expense", { timeout: "72h" })
  .step("ask", { run: ({ input }) => ask("the manager", input) })
  .waitFor("in_time", { signal: "answer", timeout: "1s", onTimeout: "skip" })
  .step("escalate", {
    when: ({ outputs }) => outputs.in_time === null,
    run: ({ input }) => ask("the director", input),
  })
  .waitFor("late", {
    when: ({ outputs }) => outputs.in_time === null,
    signal: "answer",
    timeout: "1s",
    onTimeout: "refuse",
  })
  .step("pay", {
    run: ({ input, outputs }) => {
      const answer = (outputs.in_time ?? outputs.late) as Answer;
      return answer?.approved === true ? `${input.cents} paid, approved by ${answer.by}` : "turned down";
    },
  })
  .build();

const manager = createSagaManager({
  store: createMemoryRunStore(),
  definitions: [expense],
  participants: {},
  config: resolveConfig(),
});
try {
  await manager.open();
  await claim("answered in time", "ann", 1200, "in_time");
  await claim("escalated", "bob", 3400, "late");
  await claim("never answered", "eve", 5600, null);
  for (const line of asked) console.log(`asked ${line}`);
} finally {
  await manager.close();
}

/** `answeredAt`: the wait during which an answer comes. */
async function claim(title: string, by: string, cents: number, answeredAt: string | null): Promise<void> {
  const { id } = await manager.start("expense", { by, cents });
  if (answeredAt !== null) {
    await comesTo(manager, id, answeredAt);
    await manager.signal(id, "answer", { approved: true, by: "max" }, { actor: "max" });
  }
  const run = await manager.wait(id, 30_000);
  const steps = run.steps.map(({ name, status }) => `${name} ${status}`).join(", ");
  console.log(`${title}: ${run.status}, ${run.error === null ? run.output : run.error.code}\n  ${steps}`);
}

/** Follows the run until it waits there. */
async function comesTo(from: SagaManager, id: string, step: string): Promise<void> {
  for await (const { rows } of from.watch(id, new AbortController().signal)) {
    const records = rows.flatMap((row) => row.records);
    if (records.some((record) => record.kind === "suspended" && record.step === step)) return;
  }
}
