import { answer, type Callback } from "./callback.js";
import { type Baseline, type SidSession, type SidSessionOptions, SidSessions } from "./sid-sessions.js";

export type { SidSessionOptions } from "./sid-sessions.js";

/** What is needed of the module `express-session`. */
export interface ExpressSessionModule {
  readonly Store: abstract new (...args: never[]) => object;
}

type StoreOf<Module> = Module extends { readonly Store: abstract new (...args: never[]) => infer Store }
  ? Store
  : never;

/** The methods of the store; the others are those of the module's own `Store`. */
export interface ExpressSessionStore {
  get(sid: string, callback: Callback<SidSession | null>): void;
  set(sid: string, session: SidSession, callback?: Callback): void;
  touch(sid: string, session: SidSession, callback?: Callback): void;
  destroy(sid: string, callback?: Callback): void;
  /** Their ids are not known: only hashes are stored. */
  all(callback: Callback<SidSession[]>): void;
  length(callback: Callback<number>): void;
  clear(callback?: Callback): void;
}

/**
 * A store for express-session (1.x), over any of ours: `session({ store: createExpressSessionStore(session, { store }), ... })`.
 *
 * Whatever `resave` is, only the fields that a request changed are written, and nothing when it changed none; what was destroyed or
 * regenerated while a request was under way stays dead, and its `save` is told so (`session-not-found`). express-session sends
 * the status before it saves: a save that fails reaches the error handler, and no longer the client. That, and listing or
 * ending the sessions of a subject, which it does not know, needs `@clean-arch/runtime/sessions/express`.
 *
 * A longer `cookie.maxAge` than the session began with needs a `regenerate()` before (`input-invalid`). Errors go to the callbacks:
 * when the store does not answer, requests fail; they are never served as if nobody had signed in.
 */
export function createExpressSessionStore<Module extends ExpressSessionModule>(
  session: Module,
  options: SidSessionOptions,
): ExpressSessionStore & StoreOf<Module> {
  const sessions = new SidSessions(options);
  /** Of what `get` gave, and of the Session made of it. */
  const baselines = new WeakMap<object, Baseline>();
  const Base = session.Store as new () => { createSession(request: object, loaded: object): object };

  const remember = (of: object, baseline: Baseline | undefined): void => {
    if (baseline !== undefined) baselines.set(of, baseline);
  };

  class CleanArchStore extends Base implements ExpressSessionStore {
    override createSession(request: object, loaded: object): object {
      const baseline = baselines.get(loaded);
      const made = super.createSession(request, loaded);
      remember(made, baseline);
      return made;
    }

    get(sid: string, callback: Callback<SidSession | null>): void {
      answer(callback, async () => {
        const found = await sessions.load(sid);
        if (found === undefined) return null;
        remember(found.session, found.baseline);
        return found.session;
      });
    }

    set(sid: string, given: SidSession, callback?: Callback): void {
      answer(callback, async () => remember(given, await sessions.save(sid, given, baselines.get(given))));
    }

    touch(sid: string, given: SidSession, callback?: Callback): void {
      answer(callback, async () => remember(given, await sessions.touch(sid, given, baselines.get(given))));
    }

    destroy(sid: string, callback?: Callback): void {
      answer(callback, () => sessions.destroy(sid));
    }

    all(callback: Callback<SidSession[]>): void {
      answer(callback, async () => {
        const found: SidSession[] = [];
        for await (const { session } of sessions.all()) found.push(session);
        return found;
      });
    }

    length(callback: Callback<number>): void {
      answer(callback, async () => {
        let count = 0;
        for await (const _ of sessions.all()) count += 1;
        return count;
      });
    }

    clear(callback?: Callback): void {
      answer(callback, () => sessions.clear());
    }
  }
  return new CleanArchStore() as unknown as ExpressSessionStore & StoreOf<Module>;
}
