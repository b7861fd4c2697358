/** Compose: the engines production stands on, and the service itself under profile `app`. The image of the service. */
import type { Model } from "../../model.js";
import type { TargetFile } from "../target-file.js";
import { yamlText } from "../yaml-text.js";

export function containerFiles(model: Model): TargetFile[] {
  const { compose, docker } = model.features;
  return [
    ...(compose ? [composeFile(model)] : []),
    ...(docker
      ? ([
          { path: "Dockerfile", owner: "merged", content: dockerfile(model) },
          { path: ".dockerignore", owner: "merged", content: DOCKERIGNORE },
        ] as const)
      : []),
  ];
}

const HEALTH = { interval: "5s", timeout: "3s", retries: 10 };

function composeFile({ project, http, features, database, session: { context } }: Model): TargetFile {
  const name = project.name.kebab;
  // Ports are bound to the machine itself: what listens here has a password everybody knows, or none.
  const local = (port: number): string => `127.0.0.1:${port}:${port}`;
  const engines = {
    redis: {
      image: "redis:7.2-alpine",
      command: ["redis-server", ...DURABLE_REDIS],
      ports: [local(6379)],
      volumes: ["redis-data:/data"],
      // While it loads its log it answers with an error, which redis-cli takes for a success.
      healthcheck: { test: ["CMD-SHELL", "redis-cli ping | grep -q PONG"], ...HEALTH },
      restart: "unless-stopped",
    },
    postgres: {
      image: "postgres:16-alpine",
      environment: {
        POSTGRES_USER: "service",
        POSTGRES_PASSWORD: "${POSTGRES_PASSWORD:-development}",
        POSTGRES_DB: project.name.snake,
      },
      ports: [local(5432)],
      volumes: ["postgres-data:/var/lib/postgresql/data"],
      healthcheck: { test: ["CMD", "pg_isready", "-U", "service", "-d", project.name.snake], ...HEALTH },
      restart: "unless-stopped",
    },
    nats: {
      image: "nats:2.10-alpine",
      command: ["--jetstream", "--store_dir", "/data", "--http_port", "8222"],
      ports: [local(4222), local(8222)],
      volumes: ["nats-data:/data"],
      healthcheck: { test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8222/healthz"], ...HEALTH },
      restart: "unless-stopped",
    },
  };
  const healthy = { condition: "service_healthy" };
  const port = String(http.port);
  const service = {
    profiles: ["app"],
    build: ".",
    environment: {
      NODE_ENV: "${NODE_ENV:-development}",
      HTTP_PORT: port,
      ...(database.driver === "sqlite" ? {} : { DATABASE_URL: `\${DATABASE_URL:-${inCompose(project.name.snake)}}` }),
      ...(context.storage === "redis" ? { REDIS_URL: "${REDIS_URL:-redis://redis:6379}" } : {}),
      ...(features.events ? { NATS_URL: "${NATS_URL:-nats://nats:4222}" } : {}),
      // Without a value compose hands on what the shell has, or nothing.
      OPERATOR_TOKEN: null,
      ...(context.encrypted ? { SESSION_ENCRYPTION_KEYS: null } : {}),
    },
    ports: [`127.0.0.1:${port}:${port}`],
    volumes: ["service-data:/app/data"],
    depends_on: { redis: healthy, postgres: healthy, nats: healthy },
    healthcheck: { test: ["CMD", "node", "-e", probe(port)], ...HEALTH },
    stop_grace_period: "30s",
    restart: "unless-stopped",
  };
  const content = yamlText(
    {
      name,
      services: { ...engines, ...(features.docker ? { app: service } : {}) },
      volumes: {
        "redis-data": {},
        "postgres-data": {},
        "nats-data": {},
        ...(features.docker ? { "service-data": {} } : {}),
      },
    },
    [
      "`docker compose up -d` starts Redis, PostgreSQL and NATS; `docker compose --profile app up -d` the service too.",
      ...developmentText(database.driver, context.storage),
    ],
  );
  return { path: "docker-compose.yml", owner: "merged", content };
}

/** The server above, as the service reaches it. */
const inCompose = (name: string): string =>
  `postgresql://service:\${POSTGRES_PASSWORD:-development}@postgres:5432/${name}`;

/**
 * What Redis has confirmed, it keeps, but for the last second before its machine stops; and it refuses what it has no room
 * for, where by other policies it would drop the sessions of others.
 */
const DURABLE_REDIS = ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"];

function developmentText(driver: Model["database"]["driver"], storage: string): string[] {
  const variables = [driver === null ? "DATABASE_URL" : "", storage === "redis" ? "REDIS_URL" : ""].filter(Boolean);
  const without = variables.length === 0 ? "" : `without ${variables.join(" and ")} `;
  if (driver !== "postgres")
    return [`Development needs none of them: ${without}the service keeps everything in one file below data/.`];
  return storage === "redis"
    ? [
        "The service needs PostgreSQL, whose url is DATABASE_URL, and Redis, for which a file stands in without REDIS_URL.",
      ]
    : ["Of these the service needs PostgreSQL alone: DATABASE_URL says where it is."];
}

const probe = (port: string): string =>
  `fetch("http://127.0.0.1:${port}/health/live").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;

const DOCKERIGNORE = "node_modules\ndist\ndata\ncoverage\n.git\nconfigs/.env\n";

const dockerfile = ({ http }: Model): string => `FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY vendor vendor
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY configs configs
COPY migrations migrations
RUN mkdir data && chown node:node data
USER node
EXPOSE ${http.port}
CMD ["node", "dist/main.js"]
`;
