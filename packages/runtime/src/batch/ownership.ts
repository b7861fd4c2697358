/**
 * Of what this process owns in the name of its worker. `unsure`: the lease was not renewed in time; nothing is begun until it is, and what
 * was begun stays. `lost`: the worker was declared dead and goes on under another id, or nobody here wants the work any more.
 */
export type Ownership = "ours" | "unsure" | "lost";
