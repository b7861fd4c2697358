import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, type ConfigIssue } from "../../src/infrastructure/config/config-error.js";
import { parseDotEnv } from "../../src/infrastructure/config/dot-env.js";
import { loadSettings } from "../../src/infrastructure/config/load.js";
import { SERVICES } from "../../src/infrastructure/config/project.generated.js";
import { variableOf } from "../../src/infrastructure/config/read.js";
import { parseDuration, parseSize } from "../../src/infrastructure/config/units.js";

describe("settings", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "settings-"));
    mkdirSync(join(root, "configs"));
    write("{}");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (text: string | Uint8Array, file = "app.yaml") => writeFileSync(join(root, "configs", file), text);
  const urls = Object.fromEntries(
    SERVICES.map(({ name }) => [variableOf(["services", name, "url"]), "http://127.0.0.1:9/"]),
  );
  const load = (environment: Record<string, string> = {}) => loadSettings(root, { ...urls, ...environment });
  const issues = (
    environment: Record<string, string> = {},
    only: Record<string, string> = urls,
  ): readonly ConfigIssue[] => {
    try {
      loadSettings(root, { ...only, ...environment });
    } catch (error) {
      if (error instanceof ConfigError) return error.issues;
      throw error;
    }
    return [];
  };

  it("have defaults for everything", () => {
    const settings = load();
    expect(settings).toMatchObject({ port: 8080, auth: "none", production: false });
    expect(settings).toMatchObject({ sessionStorage: { kind: "sqlite" }, encryptionKeys: [] });
    expect(settings.cookie).toEqual({ name: "session", sameSite: "lax", secure: false });
    expect(settings.app.session.context.ttl).toBe(3_600_000);
    expect(settings.operatorToken).toMatch(/^[\w-]{43}$/);
  });

  it("come from the environment before configs/.env before configs/app.yaml", () => {
    write("http: { port: 1 }\nsession: { context: { ttl: 5m, prefix: a } }");
    write("HTTP_PORT=2\nSESSION_CONTEXT_TTL=90\n", ".env");
    const settings = load({ HTTP_PORT: "3" });
    expect(settings.port).toBe(3);
    expect(settings.app.session.context).toMatchObject({ ttl: 90_000, prefix: "a" });
  });

  it("have variables named by their key paths in upper snake case, however a key is spelled", () => {
    expect(variableOf(["session", "context", "absolute_ttl"])).toBe("SESSION_CONTEXT_ABSOLUTE_TTL");
    expect(variableOf(["services", "stockService", "url"])).toBe("SERVICES_STOCK_SERVICE_URL");
    expect(variableOf(["services", "HTTPServer_v2", "headers", "X-Api-Key"])).toBe(
      "SERVICES_HTTP_SERVER_V2_HEADERS_X_API_KEY",
    );
    const reached = load().services.filter(({ url }) => url === "http://127.0.0.1:9");
    expect(reached.map(({ name }) => name)).toEqual(SERVICES.map(({ name }) => name));
  });

  it("take PORT in the place of HTTP_PORT", () => {
    expect(load({ PORT: "4" }).port).toBe(4);
    expect(load({ PORT: "4", HTTP_PORT: "5" }).port).toBe(5);
  });

  it("name everything that does not fit at once: where, which key, what was expected and got", () => {
    write("http: { port: eighty, color: red }\nsession: { context: { ttl: never } }");
    expect(issues({ OBSERVABILITY_METRICS: "perhaps" })).toEqual([
      {
        source: "configs/app.yaml",
        key: "http.color",
        expected: "one of port, host, body_limit, trust_proxy, auth",
        got: "an unknown key",
      },
      { source: "configs/app.yaml", key: "http.port", expected: "a whole number from 0 to 65535", got: '"eighty"' },
      {
        source: "configs/app.yaml",
        key: "session.context.ttl",
        expected: 'a duration of at least 1 ms ("30s", "5m", or whole seconds)',
        got: '"never"',
      },
      {
        source: "environment variable OBSERVABILITY_METRICS",
        key: "observability.metrics",
        expected: "true or false",
        got: '"perhaps"',
      },
    ]);
  });

  it("refuse a file that is not YAML, or is not there", () => {
    write("http: { port: 1");
    expect(issues()[0]).toMatchObject({ key: "(file)", expected: "YAML 1.2" });
    write(new Uint8Array([0xff, 0xfe, 0x00]));
    expect(issues()[0]).toMatchObject({ source: "configs/app.yaml", expected: "a readable file in UTF-8" });
    rmSync(join(root, "configs/app.yaml"));
    expect(issues()[0]).toMatchObject({ source: "configs/app.yaml", got: "ENOENT" });
  });

  it("refuse aliases that explode, and a configs/.env that cannot be read", () => {
    const lists = Array.from({ length: 20 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`);
    write(["a0: &a0 [1]", ...lists].join("\n"));
    mkdirSync(join(root, "configs/.env"));
    expect(issues()).toMatchObject([
      { source: "configs/.env", key: "(file)", expected: "a readable file" },
      { source: "configs/app.yaml", key: "(file)", expected: "aliases that expand to little" },
    ]);
  });

  it("name the variable when that is where a value came from", () => {
    expect(issues({ SESSION_CONTEXT_TTL: "48h" })).toMatchObject([
      { source: "environment variable SESSION_CONTEXT_TTL", key: "session.context.ttl" },
    ]);
  });

  it.each(["too-short", "two words in a token", "tök".repeat(9), "x".repeat(513), "s".repeat(80)])(
    "refuse the operator token %j, which nobody could send or anybody guess, without showing it",
    (token) => {
      const found = issues({ OPERATOR_TOKEN: token });
      expect(found).toMatchObject([{ key: "OPERATOR_TOKEN" }]);
      expect(JSON.stringify(found)).not.toContain(token);
    },
  );

  it("never show a password", () => {
    expect(JSON.stringify(issues({ REDIS_URL: "http://user:secret@host" }))).not.toContain("secret");
  });

  it("refuse what this version does not have, naming the key", () => {
    expect(issues({ SESSION_CONTEXT_STORAGE: "postgres" })[0]?.key).toBe("session.context.storage");
  });

  describe("of sessions", () => {
    const KEY = "k".repeat(43);

    it("are in Redis as soon as a url says where it is, unless another storage is written", () => {
      expect(load({ REDIS_URL: "redis://r:6379/1" }).sessionStorage).toEqual({
        kind: "redis",
        url: "redis://r:6379/1",
      });
      const nodes = "rediss://:secret@a,rediss://:secret@b";
      expect(load({ REDIS_URL: nodes }).sessionStorage).toEqual({ kind: "redis", url: nodes });
      expect(load({ REDIS_URL: nodes, SESSION_CONTEXT_STORAGE: "memory" }).sessionStorage).toEqual({ kind: "memory" });
      expect(load().sessionStorage).toEqual({ kind: "sqlite" });
    });

    it.each([
      "http://user:secret@host",
      "redis://:secret@a,",
      "redis://:secret@a,rediss://b",
      "redis://:secret@",
      "secret",
    ])("refuse the url %s without showing it", (url) => {
      const found = issues({ REDIS_URL: url });
      expect(found).toMatchObject([{ source: "environment variable REDIS_URL", key: "redis.url" }]);
      expect(JSON.stringify(found)).not.toContain("secret");
    });

    it("take a password of Redis from the environment only", () => {
      write("redis: { url: 'redis://:hidden@r' }");
      const found = issues();
      expect(found).toMatchObject([{ source: "configs/app.yaml", key: "redis.url", got: "one with it" }]);
      expect(JSON.stringify(found)).not.toContain("hidden");
      write("REDIS_URL=redis://:secret@r\n", ".env");
      expect(load().sessionStorage).toMatchObject({ kind: "redis" });
    });

    it("have keys when they are encrypted, of which the first encrypts", () => {
      const on = { SESSION_CONTEXT_ENCRYPTION_ENABLED: "true" };
      const keys = load({ ...on, SESSION_ENCRYPTION_KEYS: `b:${KEY},a:${"A".repeat(43)}` }).encryptionKeys;
      expect(keys.map(({ id, secret }) => [id, secret.length])).toEqual([
        ["b", 32],
        ["a", 32],
      ]);
      expect(load({ SESSION_ENCRYPTION_KEYS: `b:${KEY}` }).encryptionKeys).toEqual([]);
    });

    it.each(["", KEY, `a:${KEY}x`, `a:${KEY.slice(1)}`, `a b:${KEY}`, `a:${KEY},`, `a:${KEY},a:${KEY}`, `a:${KEY}=`])(
      "refuse the encryption keys %j without showing them",
      (text) => {
        const found = issues({ SESSION_CONTEXT_ENCRYPTION_ENABLED: "true", SESSION_ENCRYPTION_KEYS: text });
        expect(found).toMatchObject([{ key: "SESSION_ENCRYPTION_KEYS" }]);
        expect(JSON.stringify(found)).not.toContain("kkk");
      },
    );

    it("name a cookie that is Secure where its name or its use needs it", () => {
      const cookie = (name: string, sameSite = "lax") =>
        load({ SESSION_COOKIE_NAME: name, SESSION_COOKIE_SAME_SITE: sameSite }).cookie;
      expect(cookie("shop", "strict")).toEqual({ name: "shop", sameSite: "strict", secure: false });
      expect(cookie("shop", "none")).toEqual({ name: "shop", sameSite: "none", secure: true });
      expect(cookie("__Host-shop")).toEqual({ name: "__Host-shop", sameSite: "lax", secure: true });
    });

    it.each(["__host-shop", "__Host-", "__Secure-shop", "a b", "a;b", "a=b", "x".repeat(101)])(
      "refuse the name %j of a cookie",
      (name) => expect(issues({ SESSION_COOKIE_NAME: name })).toMatchObject([{ key: "session.cookie.name" }]),
    );

    it("refuse a grace in which a token would be exchanged again", () => {
      expect(issues({ SESSION_ROTATION_PERIOD: "30s" })).toMatchObject([{ key: "session.rotation.grace_period" }]);
      expect(load({ SESSION_ROTATION_PERIOD: "31s" }).app.session.rotation.period).toBe(31_000);
    });
  });

  describe("of the database", () => {
    const SERVER = "postgresql://service:secret@db.example:5432/books";

    it("name a SQLite file, unless a url names a PostgreSQL server: that is then the driver", () => {
      expect(load().database).toMatchObject({ driver: "sqlite", file: expect.stringContaining(root) });
      expect(load({ DATABASE_URL: "file:elsewhere.db" }).database).toEqual({
        driver: "sqlite",
        file: join(root, "elsewhere.db"),
      });
      expect(load({ DATABASE_URL: SERVER }).database).toEqual({ driver: "postgres", url: SERVER, pool: 10 });
      write("database: { url: file:data/x.db, pool: 4 }");
      expect(load({ DATABASE_URL: SERVER.replace("postgresql", "postgres") }).database).toMatchObject({ pool: 4 });
    });

    it("keep sessions in the project's own file when the database is a server", () => {
      expect(load({ DATABASE_URL: SERVER }).databaseFile).toBe(load().databaseFile);
    });

    it.each([
      [{ DATABASE_DRIVER: "postgres" }, /^postgresql:.*the driver is postgres$/, "nothing"],
      [{ DATABASE_DRIVER: "postgres", DATABASE_URL: "data/x.db" }, /^postgresql:/, "data/x.db"],
      [{ DATABASE_DRIVER: "postgres", DATABASE_URL: "postgresql://a b" }, /^postgresql:/, "the url of a server"],
      [{ DATABASE_DRIVER: "sqlite", DATABASE_URL: SERVER }, /^file:.*the driver is sqlite$/, "the url of a server"],
      [{ DATABASE_URL: "mysql://host/db" }, /^file:<path> or postgresql:/, "the url of a server"],
    ])(
      "refuse a driver and a url that do not go together, without showing the url: %o",
      (environment, expected, got) => {
        expect(issues(environment)).toEqual([
          { source: expect.any(String), key: "database.url", expected: expect.stringMatching(expected), got },
        ]);
      },
    );
  });

  describe("in production", () => {
    const production = { NODE_ENV: "production" };
    const complete = {
      ...production,
      OPERATOR_TOKEN: "a-token-of-some-length",
      HTTP_AUTH: "session",
      DATABASE_DRIVER: "sqlite",
      SESSION_CONTEXT_STORAGE: "sqlite",
    };

    it("start when all is written out", () => {
      expect(load(complete)).toMatchObject({ production: true, auth: "session", operatorTokenIsNew: false });
    });

    it("refuse what is missing, and fall back to nothing", () => {
      const keys = issues(production).map(({ key }) => key);
      expect(keys.sort()).toEqual(["OPERATOR_TOKEN", "database.url", "http.auth", "redis.url"]);
    });

    it("keep sessions in Redis unless another storage is written out", () => {
      const { SESSION_CONTEXT_STORAGE: _, ...open } = complete;
      expect(load({ ...open, REDIS_URL: "redis://r" }).sessionStorage).toMatchObject({ kind: "redis" });
      expect(issues(open)).toMatchObject([{ key: "redis.url", got: "nothing" }]);
    });

    it("put __Host- before the cookie's name, once", () => {
      expect(load(complete).cookie).toEqual({ name: "__Host-session", sameSite: "lax", secure: true });
      expect(load({ ...complete, SESSION_COOKIE_NAME: "__Host-shop" }).cookie.name).toBe("__Host-shop");
    });

    it("are on PostgreSQL unless sqlite is written out", () => {
      const { DATABASE_DRIVER: _, ...open } = complete;
      expect(load({ ...open, DATABASE_URL: "postgresql://db/books" }).database.driver).toBe("postgres");
      expect(issues({ ...open, DATABASE_URL: "file:data/x.db" })).toMatchObject([
        {
          key: "database.url",
          expected: expect.stringContaining("unless sqlite is written out"),
          got: "file:data/x.db",
        },
      ]);
    });

    it("refuse services that would be simulated, and a short operator token", () => {
      const simulated = SERVICES.filter(({ transport }) => transport === "simulated").map(
        ({ name }) => `services.${name}.url`,
      );
      const remote = SERVICES.filter(({ transport }) => transport === "http" || transport === "nats");
      const without = remote.map(({ name }) => `services.${name}.url`);
      const keys = issues({ ...complete, OPERATOR_TOKEN: "short" }, {}).map(({ key }) => key);
      expect(keys.sort()).toEqual(["OPERATOR_TOKEN", ...simulated, ...without].sort());
    });

    it("do not read configs/.env", () => {
      write("OPERATOR_TOKEN=a-token-of-some-length\n", ".env");
      expect(issues({ ...complete, OPERATOR_TOKEN: "" }).map(({ key }) => key)).toEqual(["OPERATOR_TOKEN"]);
    });
  });
});

describe("units", () => {
  it.each([
    [30, 30_000],
    ["30", 30_000],
    ["1500ms", 1_500],
    ["5m", 300_000],
    ["2h", 7_200_000],
  ])("read the duration %s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([-1, 1.5, "1.5s", "5 m", "", "1d", null, {}, "9999999999999999"])("refuse %s as a duration", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it("read sizes", () =>
    expect([parseSize("1MiB"), parseSize(10), parseSize("1MB")]).toEqual([1_048_576, 10, undefined]));
});

describe("a .env file", () => {
  it("has names, values, quotes and comments", () => {
    const text = '# comment\nA=1\nexport B = two words \nC="# no comment"\nD=x # comment\n\nnonsense\n';
    expect(parseDotEnv(text)).toEqual({
      values: { A: "1", B: "two words", C: "# no comment", D: "x" },
      brokenLines: [7],
    });
  });
});
