import type { ConfigIssue } from "./config-error.js";
import type { AppSettings } from "./schema.js";

/** Where sessions and the contexts of runs live. */
export type SessionStorage =
  | {
      readonly kind: "redis";
      /** Of one server, or of a cluster's nodes with commas between them. May hold a password: not for logs. */
      readonly url: string;
    }
  /** The project's own file, also when the database is a server. */
  | { readonly kind: "sqlite" }
  | { readonly kind: "memory" };

interface Place {
  readonly production: boolean;
  sourceOf(key: string): string;
  /** True: the value comes from a file that is kept with the project. */
  isWritten(key: string): boolean;
}

const PROTOCOL = /^rediss?:$/;

/** Redis where a url says where it is; without one sqlite stands in outside production, and production does not start. */
export function resolveSessionStorage(app: AppSettings, place: Place, issues: ConfigIssue[]): SessionStorage {
  const { storage } = app.session.context;
  const { url } = app.redis;
  const refuse = (key: string, expected: string, got: string): void => {
    issues.push({ source: place.sourceOf(key), key, expected, got });
  };
  if (url !== null) {
    const nodes = url.split(",").flatMap((node) => (URL.canParse(node) ? [new URL(node)] : []));
    const first = nodes[0];
    // A url may hold a password, and so may what is no url.
    if (
      nodes.length < url.split(",").length ||
      nodes.some(
        ({ protocol, hostname }) => !PROTOCOL.test(protocol) || hostname === "" || protocol !== first?.protocol,
      )
    ) {
      refuse(
        "redis.url",
        "redis://host:port or rediss://host:port, or several with commas between them",
        "something else",
      );
    } else if (place.isWritten("redis.url") && nodes.some(({ password }) => password !== "")) {
      refuse("redis.url", "a url without a password: secrets come from the environment only", "one with it");
    }
  }
  if (storage === "postgres") {
    refuse("session.context.storage", "redis, sqlite or memory", "postgres, which is not available in this version");
    return { kind: "sqlite" };
  }
  if (storage !== "redis") return { kind: storage };
  if (url !== null) return { kind: "redis", url };
  if (place.production) {
    const why = "sessions are in Redis in production, unless session.context.storage is written otherwise";
    refuse("redis.url", `redis://user@host:port: ${why}`, "nothing");
  }
  return { kind: "sqlite" };
}
