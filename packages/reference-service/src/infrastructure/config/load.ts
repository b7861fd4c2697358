/**
 * configs/app.yaml, overridden by environment variables; outside production configs/.env stands behind the real
 * environment. Everything that does not fit is reported at once, in a `ConfigError`; nothing falls back silently.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { ConfigError, type ConfigIssue } from "./config-error.js";
import { resolveDatabase, sqliteFile } from "./database.js";
import { parseDotEnv } from "./dot-env.js";
import { operatorTokenIssues } from "./operator-token.js";
import { productionIssues } from "./production.js";
import { PROJECT } from "./project.generated.js";
import { type Environment, readSettings } from "./read.js";
import type { AppSettings } from "./schema.js";
import { resolveServices } from "./services.js";
import type { Settings } from "./settings.js";

const FILE = "configs/app.yaml";

/** `root` is the folder that holds `configs/`. */
export function loadSettings(root: string, realEnvironment: Environment = process.env): Settings {
  const production = realEnvironment.NODE_ENV === "production";
  const issues: ConfigIssue[] = [];
  const environment = production ? realEnvironment : { ...readDotEnv(root, issues), ...realEnvironment };
  const [app, found] = readSettings(readDocument(root, issues), FILE, environment);
  issues.push(...found);

  const operatorToken = environment.OPERATOR_TOKEN ?? "";
  const services = resolveServices(app, environment, issues);
  const sourceOf = (key: string): string => {
    const variable = key.replaceAll(".", "_").toUpperCase();
    return (environment[variable] ?? "") === "" ? FILE : `environment variable ${variable}`;
  };
  const database = resolveDatabase(app, { root, production, sourceOf }, issues);
  issues.push(...featureIssues(app, sourceOf, production));
  if (production) issues.push(...productionIssues(app, services, operatorToken));
  else if (operatorToken !== "") issues.push(...operatorTokenIssues(operatorToken));
  if (issues.length > 0) throw new ConfigError(issues);

  return {
    name: PROJECT.name,
    version: PROJECT.version,
    description: PROJECT.description,
    production,
    app,
    port: app.http.port,
    host: app.http.host,
    auth: app.http.auth ?? "none",
    operatorToken: operatorToken || randomBytes(32).toString("base64url"),
    operatorTokenIsNew: operatorToken === "",
    database,
    databaseFile: database.driver === "sqlite" ? database.file : sqliteFile(root, null),
    migrationsFolder: join(root, "migrations"),
    sessionStorage: app.session.context.storage === "memory" ? "memory" : "sqlite",
    services,
  };
}

function readDocument(root: string, issues: ConfigIssue[]): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(join(root, FILE)));
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? "an error";
    issues.push({ source: FILE, key: "(file)", expected: "a readable file in UTF-8", got });
    return {};
  }
  const document = parseDocument(text, { maxAliasCount: 50, prettyErrors: true } as object);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const at = problem.linePos?.[0];
    const source = at === undefined ? FILE : `${FILE}:${at.line}:${at.col}`;
    // Of the sentence only what does not quote the file, which may hold anything.
    const got = `${problem.code}: ${problem.message.split(/ at line \d/, 1)[0]}`.replace(/[^\x20-\x7e]+/g, " ");
    issues.push({ source, key: "(file)", expected: "YAML 1.2", got: got.slice(0, 120) });
    return {};
  }
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch {
    issues.push({ source: FILE, key: "(file)", expected: "aliases that expand to little", got: "ones that explode" });
    return {};
  }
}

function readDotEnv(root: string, issues: ConfigIssue[]): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(join(root, "configs/.env"), "utf8");
  } catch (error) {
    const { code = "an error" } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT")
      issues.push({ source: "configs/.env", key: "(file)", expected: "a readable file", got: code });
    return {};
  }
  const { values, brokenLines } = parseDotEnv(text);
  for (const line of brokenLines) {
    issues.push({ source: `configs/.env:${line}`, key: "(line)", expected: "NAME=value", got: "something else" });
  }
  return values;
}

/** Keys that fit the contract but name what this version does not have, or that do not go together. */
function featureIssues(app: AppSettings, sourceOf: (key: string) => string, production: boolean): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const unavailable = (key: string, expected: string, got: string) => {
    issues.push({ source: sourceOf(key), key, expected, got: `${got}, which is not available in this version` });
  };
  const { storage } = app.session.context;
  if (storage === "postgres") unavailable("session.context.storage", "sqlite or memory", storage);
  if (storage === "redis" && (production || app.redis.url !== null)) {
    unavailable("session.context.storage", "sqlite or memory (or no redis url, outside production)", "redis");
  }
  if (app.session.context.ttl > app.session.context.absolute_ttl) {
    const expected = `at most session.context.absolute_ttl (${app.session.context.absolute_ttl} ms)`;
    const key = "session.context.ttl";
    issues.push({ source: sourceOf(key), key, expected, got: `${app.session.context.ttl} ms` });
  }
  if (app.session.recovery.initial_delay > app.session.recovery.max_delay) {
    const expected = `at most session.recovery.max_delay (${app.session.recovery.max_delay} ms)`;
    const key = "session.recovery.initial_delay";
    issues.push({ source: sourceOf(key), key, expected, got: `${app.session.recovery.initial_delay} ms` });
  }
  return issues;
}
