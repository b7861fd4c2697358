/** The project's README: what it is, how it runs, what it does, where what is. */
import { commentText } from "../../emit.js";
import type { Model } from "../../model.js";
import type { SagaModel, WaveModel } from "../../task-model.js";
import type { TargetFile } from "../target-file.js";

/** Text a stranger typed, as one line of Markdown that means nothing else. */
const markdownText = (text: string): string => commentText(text).replace(/[\\`*_{}[\]<>#|!~$&-]/g, "\\$&");

export function readmeFiles(model: Model): TargetFile[] {
  const { project, http, features, sagas, batches, entities, services } = model;
  const sections = [
    `# ${project.name.kebab}`,
    project.description === "" ? "" : markdownText(project.description),
    "## Run",
    `\`\`\`
make run             # install, build, run: http://127.0.0.1:${http.port}
make test            # the tests
make help            # everything else
\`\`\``,
    storageText(model),
    "## HTTP",
    apiTable(model),
    sagas.length === 0 ? "" : `## Sagas\n\n${sagas.map(sagaSection).join("\n\n")}`,
    batches.length === 0
      ? ""
      : `## Batches\n\n${batches.map(({ name }) => `- \`${name.raw}\`: listed at \`/api/v1/definitions\`; it cannot run yet.`).join("\n")}`,
    entities.length === 0
      ? ""
      : `## Entities\n\n${entities.map(({ name, plural }) => `- ${name.pascal}: \`/api/v1/${plural.kebab}\``).join("\n")}`,
    services.length === 0
      ? ""
      : `## Participants\n\n${services.map(({ name, transport }) => `- \`${name.raw}\`: ${transport}`).join("\n")}`,
    "## Where what is",
    `| folder | what |
|---|---|
${features.entities ? "| `src/domain` | entities: no imports from outside the domain |\n" : ""}| \`src/application\` | use cases, saga definitions, handlers, ports |
| \`src/infrastructure\` | sessions, container, persistence, configuration |
| \`src/interfaces\` | HTTP |
| \`configs\` | \`app.yaml\`, and every variable that overrides it in \`.env.example\` |
| \`migrations\` | plain SQL, up and down |`,
    `## Generate again

Files named \`*.generated.ts\` are rewritten from \`clean-arch.yaml\`. Handlers, use cases, entities and migrations are
yours from the first time on. The other files are rewritten while they are unedited; one that you edited stays, and when
the generator would change it too, it says so and writes nothing. After a change of \`clean-arch.yaml\`:

\`\`\`
clean-arch-generator --config clean-arch.yaml --out .
make verify          # files, configuration, wiring, dependencies, layers
\`\`\`

\`make verify\` takes \`clean-arch-generator\` from \`node_modules\` here or above, else from the PATH. Where the generator is
a clone of its repository, \`npm link -w clean-arch-generator\` in the clone puts it on the PATH; or say where it is:

\`\`\`
make verify GENERATOR="node <clone>/packages/generator/bin/clean-arch-generator.js"
\`\`\``,
  ];
  const content = `${sections.filter((section) => section !== "").join("\n\n")}\n`;
  return [{ path: "README.md", owner: "once", content }];
}

function storageText(model: Model): string {
  const { database, project, features, session } = model;
  const { driver, file, url } = database;
  const server = features.compose
    ? `postgresql://service:development@127.0.0.1:5432/${project.name.snake}`
    : `postgresql://user@host:5432/${project.name.snake}`;
  const example = `\`DATABASE_URL=${server}\`${features.compose ? " (the server of `make up`)" : ""}`;
  const kept =
    driver === "postgres"
      ? `Runs and records are kept in PostgreSQL${url === null ? `; the environment says where, as ${example}` : ""}.`
      : `Outside production no server is needed: everything is kept in one SQLite file, \`${file}\`.`;
  const open = driver === null ? ` With ${example} runs and records are kept in PostgreSQL.` : "";
  const shared = "Instances on one PostgreSQL database share its runs: each takes over what another leaves.";
  const keys =
    "What sessions hold is encrypted, by the keys in `SESSION_ENCRYPTION_KEYS`: `<id>:<32 bytes in base64url>`, with commas between several.";
  const tests =
    "`make test` uses SQLite; with `TEST_DATABASE_URL=postgresql://...` it uses databases of its own on that server, and with " +
    "`TEST_REDIS_URL=redis://...` keys of its own on that one.";
  return [
    `${kept}${open} Services without a url are simulated outside production.`,
    ...(driver === "sqlite" ? [] : [shared]),
    sessionsText(model),
    ...(session.context.encrypted ? [keys] : []),
    tests,
  ].join("\n\n");
}

function sessionsText({ redisUrl, features, session: { context } }: Model): string {
  if (context.storage !== "redis") return "Login sessions stay with the instance where they began.";
  if (redisUrl !== null)
    return "Login sessions and the contexts of runs are kept in Redis, where all instances find them.";
  const server = features.compose
    ? "`REDIS_URL=redis://127.0.0.1:6379` (the server of `make up`)"
    : "`REDIS_URL=redis://host:6379`";
  return (
    `With ${server} login sessions and the contexts of runs are kept in Redis, where all instances find them; production ` +
    "needs it. Without it they are in the SQLite file, and stay with the instance where they began."
  );
}

function apiTable({ features, sagas, entities }: Model): string {
  const first = sagas[0];
  const rows = [
    ["`POST /api/v1/sessions`", "begin a session"],
    ["`GET /api/v1/sessions/mine`", "where the caller is signed in"],
    ...(first === undefined
      ? []
      : [[`\`POST /api/v1/sagas/${first.name.raw}?wait=10\``, "start a run and wait for its end"]]),
    ...(features.sagas ? [["`GET /api/v1/runs/{id}`", "a run and its steps"]] : []),
    ...(entities[0] === undefined ? [] : [[`\`GET /api/v1/${entities[0].plural.kebab}\``, "records, page by page"]]),
    ...(features.events ? [["`GET /api/v1/parked-events`", "events that could not be handled, for operators"]] : []),
    ["`GET /openapi.json`, `/docs`", "the whole interface"],
    ...(features.asyncapi ? [["`GET /asyncapi.json`", "the events that it publishes and handles"]] : []),
    [`\`GET /health/live\`, \`/health/ready\`${features.metrics ? ", `/metrics`" : ""}`, "probes"],
  ];
  return `| call | what it does |\n|---|---|\n${rows.map(([call, what]) => `| ${call} | ${what} |`).join("\n")}`;
}

function sagaSection({ name, waves }: SagaModel): string {
  const compensations = waves
    .flatMap((wave) => wave.stages)
    .flatMap((stage) =>
      stage.kind !== "call" || stage.compensation === null
        ? []
        : [`\`${stage.name.raw}\` by \`${stage.compensation.service}${stage.compensation.action}\``],
    );
  const undone = compensations.length === 0 ? "" : `\n\nUndone, last first: ${compensations.reverse().join(", ")}.`;
  return `\`${name.raw}\`: ${waves.map(waveText).join(" → ")}${undone}`;
}

const waveText = ({ parallel, stages, pivot }: WaveModel): string => {
  const names = stages.map((stage) => `\`${stage.name.raw}\``).join(", ");
  return `${parallel ? `(${names})` : names}${pivot ? " → **no way back**" : ""}`;
};
