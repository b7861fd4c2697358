import { expect, test } from "vitest";
import { parse } from "yaml";
import { modelOf } from "../../fixture.test.support.js";
import { containerFiles } from "./containers.js";

const NAME = "project: { name: order-service }";

test("compose runs the service on its PostgreSQL, unless the config keeps the data in a file", () => {
  const urlOf = (text: string): unknown => {
    const compose = containerFiles(modelOf(text)).find(({ path }) => path === "docker-compose.yml");
    return parse(String(compose?.content)).services.app.environment.DATABASE_URL;
  };
  const inCompose =
    "${DATABASE_URL:-postgresql://service:${POSTGRES_PASSWORD:-development}@postgres:5432/order_service}";
  expect(urlOf(NAME)).toBe(inCompose);
  expect(urlOf(`${NAME}\ndatabase: { driver: postgres }`)).toBe(inCompose);
  expect(urlOf(`${NAME}\ndatabase: { driver: sqlite }`)).toBeUndefined();
});
