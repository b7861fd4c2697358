import { parse } from "yaml";

/**
 * What the config says each saga is, read from the YAML alone: the oracle must not learn from the runtime what the runtime
 * should have done.
 */
export interface SagaShape {
  readonly name: string;
  readonly steps: ReadonlyMap<string, StepShape>;
  /** Steps of waves up to this one are never undone once all of them completed; null: no pivot. */
  readonly pivotAfterWave: number | null;
}

export interface StepShape {
  readonly name: string;
  /** Its place in the line: steps of one wave run in parallel. */
  readonly wave: number;
  readonly service: string;
  /** False: there is nothing to undo. */
  readonly compensable: boolean;
  /** It runs only if its condition says so. */
  readonly conditional: boolean;
}

interface WrittenStage {
  readonly name: string;
  /** None: it sleeps, or waits for a signal. */
  readonly service?: string;
  readonly when?: string;
  readonly pivot?: boolean;
  readonly parallel?: readonly WrittenStage[];
}

interface WrittenConfig {
  readonly session?: { readonly saga?: { readonly orchestration?: string } };
  readonly services: Readonly<Record<string, unknown>>;
  readonly long_running: {
    readonly tasks: readonly {
      readonly name: string;
      readonly type?: "workflow" | "batch";
      readonly stages: readonly WrittenStage[];
      readonly compensation?: readonly { readonly stage: string }[];
    }[];
  };
}

export interface ChaosConfig {
  /** A choreographed run is many for its owners: each stage has one of its own, and no fence tells them from each other. */
  readonly isChoreographed: boolean;
  readonly sagas: ReadonlyMap<string, SagaShape>;
  readonly services: readonly string[];
}

/** Of its workflows. The config must be one that the generator takes: nothing is checked here. */
export function readChaosConfig(yaml: string): ChaosConfig {
  const config = parse(yaml) as WrittenConfig;
  const workflows = config.long_running.tasks.filter(({ type }) => type !== "batch");
  const sagas = workflows.map(({ name, stages, compensation = [] }): SagaShape => {
    const compensable = new Set(compensation.map(({ stage }) => stage));
    const steps = stages.flatMap((stage, wave) =>
      (stage.parallel ?? [stage]).flatMap(({ name: step, service, when }): StepShape[] => {
        if (service === undefined) return [];
        return [{ name: step, wave, service, compensable: compensable.has(step), conditional: when !== undefined }];
      }),
    );
    const pivot = stages.findIndex((stage) => stage.pivot === true);
    return { name, steps: new Map(steps.map((step) => [step.name, step])), pivotAfterWave: pivot < 0 ? null : pivot };
  });
  return {
    isChoreographed: config.session?.saga?.orchestration === "choreography",
    ...{ sagas: new Map(sagas.map((saga) => [saga.name, saga])), services: Object.keys(config.services) },
  };
}
