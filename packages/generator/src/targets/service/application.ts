/** What the application offers its interfaces: everything that the config asks for, and nothing else. */
import type { Model } from "../../model.js";
import { HEADER } from "../entity/source.js";

export function applicationFile({ features }: Model): string {
  const { sagas, simulated, events } = features;
  const lines = [
    events ? 'import type { Events } from "./ports/events.js";' : null,
    'import type { Dependency } from "./ports/health.js";',
    sagas && simulated ? 'import type { Ledger } from "./ports/ledger.js";' : null,
    sagas ? 'import type { Runs } from "./ports/runs.js";' : null,
    'import type { Sessions } from "./ports/sessions.js";',
    'import type { Telemetry } from "./ports/telemetry.js";',
    'import type { UseCases } from "./use-cases/use-cases.generated.js";',
    "",
    "/** Everything the interfaces may use. The container builds it. */",
    "export interface Application {",
    "  readonly useCases: UseCases;",
    "  readonly sessions: Sessions;",
    sagas ? "  readonly runs: Runs;" : null,
    sagas && simulated ? "  /** What the simulated services did; null in production, which has none. */" : null,
    sagas && simulated ? "  readonly ledger: Ledger | null;" : null,
    events ? "  readonly events: Events;" : null,
    "  readonly dependencies: readonly Dependency[];",
    "  readonly telemetry: Telemetry;",
    "}",
  ];
  return `${HEADER}${lines.filter((line) => line !== null).join("\n")}\n`;
}
