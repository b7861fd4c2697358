import { expect, test } from "vitest";
import { parse } from "yaml";
import { modelOf } from "../../fixture.test.support.js";
import { containerFiles } from "./containers.js";

const NAME = "project: { name: order-service }";

function composeOf(text: string) {
  const compose = containerFiles(modelOf(text)).find(({ path }) => path === "docker-compose.yml");
  return parse(String(compose?.content)).services;
}

test("compose runs the service on its PostgreSQL, unless the config keeps the data in a file", () => {
  const urlOf = (text: string): unknown => composeOf(text).app.environment.DATABASE_URL;
  const inCompose =
    "${DATABASE_URL:-postgresql://service:${POSTGRES_PASSWORD:-development}@postgres:5432/order_service}";
  expect(urlOf(NAME)).toBe(inCompose);
  expect(urlOf(`${NAME}\ndatabase: { driver: postgres }`)).toBe(inCompose);
  expect(urlOf(`${NAME}\ndatabase: { driver: sqlite }`)).toBeUndefined();
});

test("compose runs the service on its Redis, unless the config keeps sessions elsewhere", () => {
  const urlOf = (text: string): unknown => composeOf(text).app.environment.REDIS_URL;
  expect(urlOf(NAME)).toBe("${REDIS_URL:-redis://redis:6379}");
  expect(urlOf(`${NAME}\nredis: { url: "redis://localhost:1" }`)).toBe("${REDIS_URL:-redis://redis:6379}");
  expect(urlOf(`${NAME}\nsession: { context: { storage: sqlite } }`)).toBeUndefined();
});

test("the Redis of compose keeps what it has confirmed, drops nobody's session, and is ready when it answers", () => {
  const { command, healthcheck } = composeOf(NAME).redis;
  expect(command.join(" ")).toBe("redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction");
  expect(healthcheck.test).toEqual(["CMD-SHELL", "redis-cli ping | grep -q PONG"]);
});

test("compose hands the keys of the shell to a service that encrypts", () => {
  const environmentOf = (text: string): object => composeOf(text).app.environment;
  expect(environmentOf(`${NAME}\nsession: { context: { encryption: { enabled: true } } }`)).toMatchObject({
    SESSION_ENCRYPTION_KEYS: null,
  });
  expect(environmentOf(NAME)).not.toHaveProperty("SESSION_ENCRYPTION_KEYS");
});
