import type { PlannedStep } from "../../../engine/plan.js";
import { RuntimeError } from "../../../errors.js";
import { stepNameOf } from "../step-name.js";
import { forThisRun, type SagaOutcome, type SagaTestOptions, type TestedSaga } from "./saga-check-options.js";
import { SagaShape } from "./saga-shape.js";
import { type Play, TestedRun } from "./tested-run.js";

/** What the checks of one saga share. */
export class SagaUnderTest {
  readonly shape: SagaShape;
  readonly options: SagaTestOptions;
  readonly #tested: TestedSaga;
  #performed: Promise<ReadonlySet<string>> | null = null;

  constructor(tested: TestedSaga, options: SagaTestOptions) {
    this.#tested = tested;
    this.options = options;
    this.shape = new SagaShape(forThisRun(tested), options.definitions);
  }

  play(play: Play): Promise<SagaOutcome> {
    return TestedRun.perform(this.#tested, this.options, play);
  }

  /** Steps that are performed when all goes well: with this input a condition may say no, or a list may be empty. */
  performed(): Promise<ReadonlySet<string>> {
    this.#performed ??= this.play({
      check: "completes",
      judge: (outcome, run) => expectEnd(run, outcome, "completed"),
    }).then(
      ({ run, calls }) =>
        new Set([
          ...run.steps.filter(({ status, attempts }) => status === "completed" && attempts > 0).map(({ name }) => name),
          ...calls.map(({ stage }) => stepNameOf(stage)),
        ]),
    );
    return this.#performed;
  }

  /** The step would be called: what is planted in it strikes. A list without items is gathered without a call. */
  async isPerformed(step: string): Promise<boolean> {
    return (await this.performed()).has(step);
  }
}

/** Error: `SagaCheckFailed` when the run ended otherwise. */
export function expectEnd(
  run: TestedRun,
  { status, run: view }: SagaOutcome,
  ...expected: SagaOutcome["status"][]
): void {
  if (expected.includes(status)) return;
  const why = view.error === null ? "" : `: ${view.error.code}, ${view.error.message}`;
  throw run.failed(`expected the run to end ${expected.join(" or ")}, got ${status}${why}`);
}

export function plannedStep(run: TestedRun, step: string): PlannedStep {
  const { name, version } = run.definition;
  const planned = run.world.registry.find(name, version)?.steps.get(step);
  if (planned === undefined) throw new RuntimeError("internal", `expected a plan of step "${step}", got none`);
  return planned;
}
