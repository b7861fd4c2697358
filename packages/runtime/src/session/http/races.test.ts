import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interceptSessionStore } from "../../testing/intercept-session-store.test.support.js";
import { RequestInterleaving } from "../../testing/request-interleaving.test.support.js";
import { type Answer, HTTP_STORES, type HttpClient } from "./http-service.test.support.js";
import { ADAPTERS, type RaceSession } from "./race-services.test.support.js";

/** Requests of one session that overlap, over real HTTP: at each call of the store, and within the handlers, the other may go on. */
const SEEDS = 200;

describe.each(ADAPTERS)("$name", { timeout: 120_000 }, ({ start, keepsFields, tellsFailure }) => {
  describe.each(HTTP_STORES)("over $name", ({ open }) => {
    let client: HttpClient;
    let closeStore: () => Promise<void>;
    let turns: RequestInterleaving | undefined;

    const step = async (): Promise<void> => turns?.step();

    async function handle(path: string, session: RaceSession): Promise<unknown> {
      const [act, field = ""] = path.split("-");
      const before = session.fields();
      await step();
      if (act === "write") session.set(field, "written");
      if (act === "logout") await session.destroy();
      if (act === "regenerate") await session.regenerate();
      await step();
      return before;
    }

    beforeAll(async () => {
      const opened = await open();
      closeStore = opened.close;
      const store = interceptSessionStore(opened.store, async (method, call) => {
        if (method === "open" || method === "close" || method === "sweep") return call();
        await step();
        const result = await call();
        await step();
        return result;
      });
      client = await start(store, handle);
    });
    afterAll(async () => {
      await client.close();
      await closeStore();
    });

    const get = async (cookie: string | undefined): Promise<unknown> =>
      JSON.parse((await client.call("GET", "/read", { cookie })).text);

    /** A session of field `seed`, two requests of it that overlap, and their answers. */
    async function overlap(seed: number, one: string, other: string): Promise<[cookie: string, Answer, Answer]> {
      turns = undefined;
      const { cookie = "" } = await client.call("POST", "/write-seed");
      expect(cookie).not.toBe("");
      turns = new RequestInterleaving(seed);
      const method = (path: string): string => (path === "/read" ? "GET" : "POST");
      const [first, second] = await turns.run<[Answer, Answer]>(
        () => client.call(method(one), one, { cookie }),
        () => client.call(method(other), other, { cookie }),
      );
      turns = undefined;
      return [cookie, first, second];
    }

    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

    it("keeps what one request writes while a slow one only reads", async () => {
      for (const seed of seeds) {
        const [cookie, read, write] = await overlap(seed, "/read", "/write-a");
        expect([read.status, write.status]).toEqual([200, 200]);
        expect(await get(cookie), `seed ${seed}`).toEqual({ seed: "written", a: "written" });
      }
    });

    it("keeps both fields when two requests write different ones", async () => {
      for (const seed of seeds) {
        const [cookie, a, b] = await overlap(seed, "/write-a", "/write-b");
        expect([a.status, b.status]).toEqual([200, 200]);
        expect(await get(cookie), `seed ${seed}`).toEqual({ seed: "written", a: "written", b: "written" });
      }
    });

    it("leaves a session dead that was ended while a write was under way, and does not call that write a success", async () => {
      const statuses = new Set<number>();
      for (const seed of seeds) {
        const [cookie, logout, write] = await overlap(seed, "/logout", "/write-a");
        expect(logout.status).toBe(200);
        expect(await get(cookie), `seed ${seed}`).toEqual({});
        statuses.add(write.status);
        // Begun after the logout, it wrote to a session of its own.
        if (write.cookie !== undefined && write.cookie !== cookie)
          expect(await get(write.cookie)).toEqual({ a: "written" });
      }
      expect([...statuses].sort()).toEqual(tellsFailure ? [200, 401] : [200]);
    });

    it("leaves a session dead that was ended while a read was under way", async () => {
      for (const seed of seeds) {
        const [cookie, logout, read] = await overlap(seed, "/logout", "/read");
        expect([logout.status, read.status]).toEqual([200, 200]);
        expect(await get(cookie), `seed ${seed}`).toEqual({});
      }
    });

    it("leaves the old token dead when it was replaced at a sign-in while a write was under way", async () => {
      for (const seed of seeds) {
        const [cookie, login, write] = await overlap(seed, "/regenerate", "/write-a");
        expect(login.status).toBe(200);
        expect(await get(cookie), `seed ${seed}`).toEqual({});
        const fields = await get(login.cookie);
        if (!keepsFields) expect(fields).toEqual({ seed: "new" });
        // What was acknowledged has moved on with the session.
        else if (write.status === 200 && write.cookie === undefined)
          expect(fields).toEqual({ seed: "written", a: "written" });
        else expect(fields).toEqual({ seed: "written" });
      }
    });
  });
});
