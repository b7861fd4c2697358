import type { NodeChoice } from "../node-binary.js";
import type { ScenarioName, SessionScenario } from "./scenarios.js";

export type ContenderName =
  | "clean-arch-fastify"
  | "clean-arch-express"
  | "fastify-session"
  | "fastify-session-not-rolling"
  | "express-session"
  | "getex-route"
  | "bare-server"
  | "bare-express";

/** Who takes part, with what. The settings and their reasons stand in each program. */
export interface SessionContender {
  readonly name: ContenderName;
  readonly title: string;
  /** Compiled program relative to `dist/`, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly node: NodeChoice;
  /** `touched`: a read moves the session's expiry. `fixed`: it does not. `none`: there are no sessions, answers are constant. */
  readonly sessions: "touched" | "fixed" | "none";
  /** What it is and what is set, in words. */
  readonly settings: string;
  readonly takes: (scenario: SessionScenario) => boolean;
}

const FLOORS: ReadonlySet<string> = new Set<ScenarioName>(["read-2k", "anonymous"]);

const peer = { args: [], node: "own", sessions: "touched", takes: () => true } as const;
const floor = { ...peer, sessions: "none", takes: ({ name }: SessionScenario) => FLOORS.has(name) } as const;

export const CONTENDERS: readonly SessionContender[] = [
  {
    ...{ ...peer, name: "clean-arch-fastify", title: "clean-arch, Fastify", program: "ours/sessions-fastify.js" },
    settings: "Fastify 5, ioredis 6; defaults: guards on, the expiry moves once in a tenth of the idle time",
  },
  {
    ...{ ...peer, name: "clean-arch-express", title: "clean-arch, Express", program: "ours/sessions-express.js" },
    settings: "Express 4, ioredis 6; the same",
  },
  {
    ...{ ...peer, name: "fastify-session", title: "@fastify/session 11, rolling" },
    ...{ program: "peers/fastify-session.js", args: ["rolling"] },
    settings:
      "Fastify 5, connect-redis 9, node-redis 6; rolling (its default): expiry moves, by writing the whole session",
  },
  {
    ...{ ...peer, name: "fastify-session-not-rolling", title: "@fastify/session 11, not rolling", sessions: "fixed" },
    ...{ program: "peers/fastify-session.js", args: ["not-rolling"] },
    settings: "the same without rolling: expiry does not move",
  },
  {
    ...{ ...peer, name: "express-session", title: "express-session 1.19", program: "peers/express-session.js" },
    settings: "Express 4, connect-redis 9, node-redis 6; resave, rolling and saveUninitialized off",
  },
  {
    ...{ ...peer, name: "getex-route", title: "hand-written GETEX route", program: "peers/getex-route.js" },
    settings: "Fastify 5, ioredis 6 with automatic pipelining; no signature, no hash, no checks",
  },
  {
    ...{ ...floor, name: "bare-server", title: "Fastify without sessions", program: "peers/bare-server.js" },
    settings: "Fastify 5, a constant answer",
  },
  {
    ...{ ...floor, name: "bare-express", title: "Express without sessions", program: "peers/bare-express.js" },
    settings: "Express 4, a constant answer",
  },
];
