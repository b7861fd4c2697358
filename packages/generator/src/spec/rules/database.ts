/** The database: a file or a server, which the driver and the url must agree on. */
import { shown } from "../../diagnostics.js";
import type { Rule } from "./rule.js";
import { reportUrl } from "./urls.js";

/** What `database.url` may name in place of a server: a file, relative to the project or from the root. */
export const DATABASE_FILE = /^file:(\/?[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*)$/;

const PROTOCOLS = ["postgresql:", "postgres:"];

/** True for the url of a PostgreSQL server. */
export const isPostgresUrl = (url: string | undefined): url is string =>
  PROTOCOLS.some((protocol) => url?.toLowerCase().startsWith(`${protocol}//`));

export const checkDatabase: Rule = ({ config, report }) => {
  const { driver, url } = config.database ?? {};
  const path = ["database", "url"];
  if (url?.startsWith("file:") === true) {
    const expected = "`file:` and a path of letters, digits, `.`, `_` and `-`, without `..`";
    if (!DATABASE_FILE.test(url)) report({ code: "bad-url", path, expected, got: shown(url) });
    else if (driver === "postgres") {
      const hint = "name a server, as postgresql://host:5432/database, or leave the url to the environment";
      report({ code: "bad-url", path, expected: "the url of a server with driver postgres", got: shown(url), hint });
    }
  } else if (isPostgresUrl(url)) {
    if (driver === "sqlite") {
      const hint = "name a file, as file:data/service.db, or leave the driver out";
      report({ code: "bad-url", path, expected: "a file with driver sqlite", got: "the url of a server", hint });
    } else reportUrl(report, path, url, PROTOCOLS, { user: true, query: true });
  } else if (url !== undefined) {
    const expected = "file:data/service.db or postgresql://host:5432/database";
    report({ code: "bad-url", path, expected, got: "something else" });
  }
  const { storage } = config.session?.context ?? {};
  if ((driver === "postgres" || isPostgresUrl(url)) && (storage === "sqlite" || storage === "memory")) {
    report({
      code: "sessions-apart",
      severity: "warning",
      path: ["session", "context", "storage"],
      expected: "sessions that all instances share",
      got: `${storage}, which each instance has for itself`,
      hint: "a client must then come to the instance where its session began; redis is shared",
    });
  }
};
