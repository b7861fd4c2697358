/**
 * configs/app.yaml, overridden by environment variables; outside production configs/.env stands behind the real
 * environment. Everything that does not fit is reported at once, in a `ConfigError`; nothing falls back silently.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { ConfigError, type ConfigIssue } from "./config-error.js";
import { resolveCookie } from "./cookie.js";
import { resolveDatabase, sqliteFile } from "./database.js";
import { parseDotEnv } from "./dot-env.js";
import { encryptionKeys } from "./encryption-keys.js";
import { operatorTokenIssues } from "./operator-token.js";
import { productionIssues } from "./production.js";
import { PROJECT } from "./project.generated.js";
import { type Environment, readSettings } from "./read.js";
import type { AppSettings } from "./schema.js";
import { resolveServices } from "./services.js";
import { resolveSessionStorage } from "./session-storage.js";
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
  const variableOf = (key: string): string => key.replaceAll(".", "_").toUpperCase();
  const isWritten = (key: string): boolean => (environment[variableOf(key)] ?? "") === "";
  const sourceOf = (key: string): string => (isWritten(key) ? FILE : `environment variable ${variableOf(key)}`);
  const place = { root, production, sourceOf, isWritten };
  const database = resolveDatabase(app, place, issues);
  const sessionStorage = resolveSessionStorage(app, place, issues);
  const cookie = resolveCookie(app, place, issues);
  const encrypted = app.session.context.encryption.enabled;
  const keys = encrypted ? encryptionKeys(environment.SESSION_ENCRYPTION_KEYS ?? "", issues) : [];
  issues.push(...contradictions(app, sourceOf));
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
    sessionStorage,
    encryptionKeys: keys,
    cookie,
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

/** Values that are fine alone and do not go together. */
function contradictions({ session }: AppSettings, sourceOf: (key: string) => string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const refuse = (key: string, expected: string, gotMs: number): void => {
    issues.push({ source: sourceOf(key), key, expected, got: `${gotMs} ms` });
  };
  const { context, recovery, rotation } = session;
  if (context.ttl > context.absolute_ttl)
    refuse("session.context.ttl", `at most session.context.absolute_ttl (${context.absolute_ttl} ms)`, context.ttl);
  if (recovery.initial_delay > recovery.max_delay) {
    const expected = `at most session.recovery.max_delay (${recovery.max_delay} ms)`;
    refuse("session.recovery.initial_delay", expected, recovery.initial_delay);
  }
  if (rotation.period !== null && rotation.grace_period >= rotation.period) {
    const expected = `less than session.rotation.period (${rotation.period} ms)`;
    refuse("session.rotation.grace_period", expected, rotation.grace_period);
  }
  return issues;
}
