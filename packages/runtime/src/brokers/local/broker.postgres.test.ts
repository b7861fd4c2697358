import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, beforeAll } from "vitest";
import { createPostgresRunStore } from "../../stores/postgres/index.js";
import { brokerContract } from "../../testing/broker-contract.js";
import { openPair } from "./local-pair.test.support.js";

let server: Postgres | undefined;
let schemas = 0;
beforeAll(async () => {
  // An ANALYZE by itself would hold back events that are put meanwhile, for as long as it writes.
  server = await startPostgres({ fsync: false, settings: { max_connections: 200, autovacuum: "off" } });
}, 60_000);
afterAll(() => server?.remove());

brokerContract("local, in PostgreSQL", {
  open() {
    schemas += 1;
    const schema = `broker_${schemas}`;
    const openStore = async () => {
      const store = createPostgresRunStore({ url: server?.url() ?? "", schema });
      await store.open();
      return store;
    };
    return openPair(openStore, async () => {});
  },
});
