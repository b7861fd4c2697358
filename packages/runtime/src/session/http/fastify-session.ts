import { answer, type Callback } from "./callback.js";
import { type Baseline, type SidSession, type SidSessionOptions, SidSessions } from "./sid-sessions.js";

export type { SidSessionOptions } from "./sid-sessions.js";

export interface FastifySessionStore {
  get(sid: string, callback: Callback<object | null>): void;
  set(sid: string, session: object, callback: Callback): void;
  destroy(sid: string, callback: Callback): void;
}

/**
 * A store for @fastify/session (11.x), over any of ours: `{ store: createFastifySessionStore({ store }), secret, ... }`.
 *
 * Whatever `rolling` is, only the fields that a request changed are written, and nothing when it changed none; what was destroyed or
 * regenerated while a request was under way stays dead, and a request that writes to it is answered 401 (`session-not-found`).
 * Reading moves the idle deadline, also without `rolling`.
 *
 * What its contract cannot do: without `rolling` the browser's cookie is not renewed, so one with a `maxAge` ends by it though the
 * session lives on; with it each response sets the cookie. `session.regenerate()` stores the new session before its handler is
 * done. A subject is not known, so its sessions cannot be listed or ended: that needs `@clean-arch/runtime/sessions/fastify`.
 */
export function createFastifySessionStore(options: SidSessionOptions): FastifySessionStore {
  const sessions = new SidSessions(options);
  const marks = new WeakMap<object, Mark>();

  return {
    get(sid, callback) {
      answer(callback, async () => {
        const found = await sessions.load(sid);
        return found === undefined ? null : { ...found.session, [MARK]: new Mark(sid, found.baseline) };
      });
    },
    set(sid, session, callback) {
      answer(callback, async () => {
        const { [MARK]: loaded, ...fields } = session as SidSession;
        const mark = marks.get(session) ?? (loaded instanceof Mark && loaded.sid === sid ? loaded : undefined);
        const baseline = await sessions.save(sid, fields as SidSession, mark?.baseline);
        if (mark !== undefined) mark.baseline = baseline;
        else marks.set(session, new Mark(sid, baseline));
      });
    },
    destroy(sid, callback) {
      answer(callback, () => sessions.destroy(sid));
    },
  };
}

/**
 * The field that carries the baseline. The plugin makes its session of a copy of the fields that `get` gave, and of nothing else, so
 * it can only be one of them. It is in no JSON.
 */
const MARK = "clean-arch:loaded";

class Mark {
  readonly sid: string;
  baseline: Baseline;

  constructor(sid: string, baseline: Baseline) {
    this.sid = sid;
    this.baseline = baseline;
  }

  toJSON(): undefined {
    return undefined;
  }
}
