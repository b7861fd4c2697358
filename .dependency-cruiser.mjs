/**
 * Who may import whom. Type-only imports count: a type that points the wrong way is the first step of code that does.
 * Tests may import what they like, except that cycles and unresolvable imports are refused everywhere.
 * tools/import-rules.test.ts plants a violation of each rule and sees it refused.
 */
const runtime = "^packages/runtime/src/";
const service = "^packages/reference-service/src/";
const test = "[.]test([.]support)?[.]ts$";

/** A folder whose own code (tests aside) may import the listed paths, and of `types` their types only. */
function confine({ name, comment, from, may, types = [] }) {
  const rule = { severity: "error", comment };
  const rules = [{ ...rule, name, from: { path: from, pathNot: test }, to: { pathNot: [...may, ...types] } }];
  if (types.length > 0) {
    const to = { path: types, pathNot: may, dependencyTypesNot: ["type-only"] };
    rules.push({ ...rule, name: `${name}-types-only`, from: { path: from, pathNot: test }, to });
  }
  return rules;
}

const everywhere = [
  {
    name: "no-cycles",
    severity: "error",
    comment: "A cycle has no order to read it in. Move what both need into a file of its own.",
    from: {},
    to: { circular: true },
  },
  {
    name: "no-unresolvable",
    severity: "error",
    comment:
      "The import leads nowhere: a typing error, a missing dependency, or a path that a package does not export.",
    // What the benchmarks compare with is installed by them alone.
    from: { pathNot: "^benchmarks/src/peers/" },
    // Newer Node versions than the oldest supported one have node:sqlite.
    to: { couldNotResolve: true, pathNot: "^node:sqlite$" },
  },
  {
    name: "no-dev-dependency-in-source",
    severity: "error",
    comment: "What ships cannot import a development dependency: list it under dependencies, or as a peer.",
    from: { path: "^packages/[^/]+/src/", pathNot: test },
    to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm", "npm-peer", "npm-optional", "type-only"] },
  },
  {
    name: "packages-by-their-exports",
    severity: "error",
    comment: "Another package is imported by its name and its exports, never by a path into its folder.",
    from: { path: "^packages/([^/]+)/" },
    to: { path: "^packages/", pathNot: "^packages/$1/", dependencyTypes: ["local"] },
  },
];

const packages = [
  {
    name: "examples-by-exports",
    severity: "error",
    comment: "An example, or a benchmark, is what a user writes: it imports packages by their names and exports.",
    from: { path: "^(examples|benchmarks)/" },
    to: { path: "^packages/", dependencyTypes: ["local"] },
  },
  {
    name: "runtime-imports-nothing-of-ours",
    severity: "error",
    comment: "The runtime is usable on its own.",
    from: { path: "^packages/runtime/", pathNot: "[.]test([.]support)?[.]ts$" },
    to: { path: "^packages/", pathNot: "^packages/runtime/" },
  },
  {
    name: "generator-takes-the-service-as-data",
    severity: "error",
    comment: "The reference service is the generator's template: read as files, never imported.",
    from: { path: "^packages/generator/" },
    to: { path: "^packages/reference-service/" },
  },
  {
    name: "service-does-not-know-its-generator",
    severity: "error",
    comment: "A generated service runs without the generator.",
    from: { path: "^packages/reference-service/" },
    to: { path: "^packages/generator/" },
  },
];

const insideRuntime = [
  ...confine({
    name: "engine-is-pure",
    comment: "fold and decide are pure: no Node module, package, port, worker or store; time and chance are arguments.",
    from: `${runtime}engine/`,
    may: [`${runtime}engine/`, `${runtime}(errors|json)[.]ts$`],
    types: [`${runtime}saga/`, `${runtime}config[.]ts$`],
  }),
  ...confine({
    name: "contracts-depend-on-records",
    comment:
      "A store's contract speaks of records, events and JSON, and hashes; it knows no store, no worker and no manager.",
    from: `${runtime}store/`,
    may: [
      `${runtime}store/`,
      `${runtime}engine/records[.]ts$`,
      `${runtime}broker/event-message[.]ts$`,
      `${runtime}(errors|json)[.]ts$`,
      "^(node:)?crypto$",
    ],
  }),
  {
    name: "stores-know-contracts",
    severity: "error",
    comment: "A store imports the contracts, the records, events, errors, JSON, log and ports - and no other store.",
    from: { path: `${runtime}stores/([^/]+)/`, pathNot: test },
    to: {
      path: runtime,
      pathNot: [
        `${runtime}stores/$1/`,
        `${runtime}(store|session)/`,
        `${runtime}participants/ledger[.]ts$`,
        `${runtime}engine/records[.]ts$`,
        `${runtime}broker/event-message[.]ts$`,
        `${runtime}(errors|json|log|ports)[.]ts$`,
      ],
    },
  },
  {
    name: "stores-know-no-session-code",
    severity: "error",
    comment: "Of session/ a store takes types; the managers call the stores, not the other way round.",
    from: { path: `${runtime}stores/`, pathNot: test },
    to: { path: `${runtime}session/`, dependencyTypesNot: ["type-only"] },
  },
  {
    name: "brokers-know-contracts",
    severity: "error",
    comment:
      "A broker imports the contract and the messages, errors, log and ports - and no store and no other broker.",
    from: { path: `${runtime}brokers/([^/]+)/`, pathNot: [test, `${runtime}brokers/local/`] },
    to: {
      path: runtime,
      pathNot: [`${runtime}brokers/$1/`, `${runtime}broker/`, `${runtime}(errors|log|ports)[.]ts$`],
    },
  },
  ...confine({
    name: "local-broker-knows-the-outbox",
    comment: "The local broker stands on the contract of the outbox; it knows no store, no driver and no worker.",
    from: `${runtime}brokers/local/`,
    may: [`${runtime}(brokers/local|broker|events|store)/`, `${runtime}(errors|json|log|ports)[.]ts$`],
  }),
  ...confine({
    name: "events-know-contracts",
    comment: "Relay and consumer stand on the contracts of stores and brokers; they know none of either.",
    from: `${runtime}events/`,
    may: [
      `${runtime}(events|broker|store)/`,
      `${runtime}worker/guarded-client[.]ts$`,
      `${runtime}(errors|json|log|ports)[.]ts$`,
    ],
  }),
  ...confine({
    name: "calls-know-the-broker",
    comment:
      "Calls over a broker stand on its contract, on events, and on the answers of HTTP; they know no broker and no worker.",
    from: `${runtime}calls/`,
    may: [
      `${runtime}(calls|broker|events)/`,
      `${runtime}barrier/http-answer[.]ts$`,
      `${runtime}(errors|json|log|ports)[.]ts$`,
    ],
  }),
  ...confine({
    name: "schedules-know-contracts",
    comment: "Schedules stand on the contract of their store and on definitions; they know no store and no worker.",
    from: `${runtime}schedule/`,
    may: [`${runtime}(schedule|store)/`, `${runtime}(errors|json|log|ports)[.]ts$`, "croner", "^(node:)?crypto$"],
    types: [`${runtime}saga/(definition|manager)[.]ts$`, `${runtime}engine/records[.]ts$`],
  }),
  {
    name: "worker-knows-contracts",
    severity: "error",
    comment:
      "The worker performs what the engine decides, through the store's contract and the participants; of choreography it knows how a unit begins and what it tells.",
    from: { path: `${runtime}worker/`, pathNot: test },
    to: {
      path: runtime,
      pathNot: [
        `${runtime}(worker|engine|store|participants|saga)/`,
        `${runtime}(config|duration|errors|json|log|ports)[.]ts$`,
        `${runtime}choreography/(entrance|run-events|unit-entry)[.]ts$`,
      ],
    },
  },
  {
    name: "worker-takes-types-of-definitions",
    severity: "error",
    comment: "A definition is data to the worker; building one and managing runs is not its business.",
    from: { path: `${runtime}worker/`, pathNot: test },
    to: { path: `${runtime}saga/`, dependencyTypesNot: ["type-only"] },
  },
  ...confine({
    name: "batch-knows-contracts",
    comment:
      "Batches are worked through the store's contract and the participants, in the name of a worker of which they know how attempts are bounded; they know no store and no manager.",
    from: `${runtime}batch/`,
    may: [
      `${runtime}(batch|engine|store|participants)/`,
      `${runtime}saga/(checked-input|declared-step|define|expression|queue|queue-config|schedule-config)[.]ts$`,
      `${runtime}schedule/schedule-definition[.]ts$`,
      `${runtime}worker/(attempt-abort|batch-steps|guarded-client)[.]ts$`,
      `${runtime}(duration|errors|json|log|ports)[.]ts$`,
      "^(node:)?(crypto|fs/promises)$",
    ],
    types: [`${runtime}saga/`],
  }),
  ...confine({
    name: "barrier-stands-alone",
    comment: "A participant's service takes the barrier without the engine, the worker, a framework or a driver.",
    from: `${runtime}barrier/`,
    may: [
      `${runtime}barrier/`,
      `${runtime}(errors|json|ports)[.]ts$`,
      `${runtime}participants/answer[.]ts$`,
      `${runtime}stores/sqlite/migrate[.]ts$`,
    ],
    types: [`${runtime}stores/sqlite/database[.]ts$`],
  }),
  {
    name: "testing-is-for-tests",
    severity: "error",
    comment: "Code that ships does not import test doubles or conformance suites.",
    from: { path: "^packages/[^/]+/src/", pathNot: [test, `${runtime}(testing|simulation)/`] },
    to: { path: [`${runtime}(testing|simulation)/`, "node_modules/(vitest|fast-check)/"] },
  },
  {
    name: "drivers-stay-in-their-store",
    severity: "error",
    comment: "Drivers are optional peers: only the store named after the technology may import them.",
    from: { path: runtime, pathNot: `${runtime}stores/sqlite/` },
    to: { path: ["node_modules/libsql/", "^(node:)?sqlite$"] },
  },
];

const insideService = [
  ...confine({
    name: "domain-imports-nothing",
    comment: "The domain stands alone: no framework, no runtime, no Node module.",
    from: `${service}domain/`,
    may: [`${service}domain/`],
  }),
  ...confine({
    name: "application-knows-domain-and-runtime",
    comment: "Use cases and sagas speak of the domain, their own ports and the runtime's definitions.",
    from: `${service}application/`,
    may: [`${service}(application|domain)/`, "^packages/runtime/", "node_modules/@clean-arch/runtime/"],
  }),
  {
    name: "infrastructure-implements-application",
    severity: "error",
    comment: "Infrastructure implements the application's ports; it does not know who calls it.",
    from: { path: `${service}infrastructure/`, pathNot: [test, `${service}infrastructure/container/`] },
    to: { path: service, pathNot: `${service}(infrastructure/(?!container/)|application/|domain/)` },
  },
  {
    name: "interfaces-use-the-application",
    severity: "error",
    comment:
      "HTTP and events call use cases; what they need of the runtime, the application offers, but for its HTTP adapters.",
    from: { path: `${service}interfaces/`, pathNot: test },
    to: {
      path: [service, "^packages/runtime/"],
      pathNot: [`${service}(interfaces|application)/`, `${runtime}session/http/`],
    },
  },
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [...everywhere, ...packages, ...insideRuntime, ...insideService],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|out)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default", "types"],
    },
    moduleSystems: ["es6", "cjs"],
  },
};
