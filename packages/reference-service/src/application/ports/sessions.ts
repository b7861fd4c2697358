import type { SessionManager } from "@clean-arch/runtime";

/** Login sessions as the interfaces use them; the runtime's manager is one. Its life is the container's business. */
export type Sessions = Omit<SessionManager, "open" | "close">;

export type { Session } from "@clean-arch/runtime";
