import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_CONFIG } from "../config.js";
import type { Logger } from "../log.js";
import { systemPorts } from "../ports.js";
import type { SessionManager } from "../session/manager.js";
import type { SessionEvent } from "../session/session-events.js";
import { createSessionManager, type SessionManagerOptions } from "../session/session-manager.js";
import type { SessionStore } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { createSqliteSessionStore } from "../stores/sqlite/session-store.js";
import { type Intercept, interceptSessionStore } from "./intercept-session-store.test.support.js";
import { createManualClock } from "./manual-clock.js";

/** Every store that the tests of sessions run over. */
export const SESSION_STORES = ["memory", "sqlite"] as const;

type SessionStoreKind = "memory" | "sqlite";

/** Sessions end after a second without activity, after ten in any case. */
export const SESSION_CONFIG = { ...DEFAULT_CONFIG.context, ttlMs: 1_000, absoluteTtlMs: 10_000 };

/**
 * Two open managers over the same sessions, both through `intercept` and with `options`; `store` is behind it, `events` is
 * what happened, of both. `close` removes everything.
 */
export async function openSessionInstances(
  kind: SessionStoreKind,
  intercept: Intercept = (_method, call) => call(),
  options: Partial<SessionManagerOptions> = {},
) {
  const clock = createManualClock();
  const folder = await mkdtemp(join(tmpdir(), "session-manager-"));
  const managers: SessionManager[] = [];
  const file = join(folder, "test.db");
  const store: SessionStore =
    kind === "memory" ? createMemorySessionStore({ clock }) : createSqliteSessionStore({ file, clock });
  const peer = kind === "memory" ? store : createSqliteSessionStore({ file, clock });
  const logged: { readonly level: string; readonly facts: object; readonly message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const events: SessionEvent[] = [];
  const make = async (behind: SessionStore): Promise<SessionManager> => {
    const ports = { clock, random: systemPorts.random };
    const manager = createSessionManager({
      store: interceptSessionStore(behind, intercept),
      config: SESSION_CONFIG,
      ports,
      logger,
      events: (event) => void events.push(event),
      ...options,
    });
    managers.push(manager);
    await manager.open();
    return manager;
  };
  const close = async (): Promise<void> => {
    for (const manager of managers) await manager.close();
    await rm(folder, { recursive: true });
  };
  return { manager: await make(store), other: await make(peer), store, clock, file, logged, events, close };
}
