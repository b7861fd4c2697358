/** Structured logs: facts first, sentence second. */
export type { Logger } from "@clean-arch/runtime";
