import { startRedis } from "@clean-arch/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { sleep, systemPorts } from "../../ports.js";
import { create, idOf, login } from "../../testing/session-store/world.js";
import { openSessions } from "./own-prefix.test.support.js";
import { answers, until } from "./until.test.support.js";

const CLAIM_MS = 1_500;

it("each expired session is handed out until it is settled, over kills of Redis and of who had claimed it", async () => {
  const server = await startRedis({ persistence: "everysec" });
  onTestFinished(() => server.remove());
  const open = async () => {
    const store = await openSessions({ url: server.url, prefix: "sweep:" });
    onTestFinished(() => store.close());
    return store;
  };
  const [first, second] = [await open(), await open()];
  const names = Array.from({ length: 30 }, (_, n) => `n${n}`);
  for (const name of names) await create(first, login(name, { subject: `of ${name}`, idleMs: 50 }));
  await create(first, login("live", { idleMs: 600_000, absoluteMs: 600_000 }));
  const lastId = idOf("n29", "of n29");
  while ((await first.loadById(lastId)) !== undefined) await sleep(systemPorts.clock, 10);
  await sleep(systemPorts.clock, 5);

  const restart = async (): Promise<void> => {
    await server.kill();
    await server.start();
    await until(() => answers(second));
  };
  const claimed = await first.sweep(100, CLAIM_MS);
  const claimedAt = systemPorts.clock.monotonic();
  expect(claimed.map(({ id }) => id).sort()).toEqual(names.map((name) => idOf(name, `of ${name}`)).sort());
  await first.settle(claimed.slice(0, 10));
  await restart();
  const early = await second.sweep(100, CLAIM_MS);
  if (systemPorts.clock.monotonic() - claimedAt < CLAIM_MS - 100) expect(early).toEqual([]);
  await first.close();

  const again = [...early];
  while (again.length < 20) again.push(...(await second.sweep(100, 600_000)));
  expect(again.map(({ id }) => id).sort()).toEqual(
    claimed
      .slice(10)
      .map(({ id }) => id)
      .sort(),
  );
  await second.settle(again);
  await restart();
  expect(await second.sweep(100, CLAIM_MS)).toEqual([]);
  expect(await second.loadById(idOf("live"))).toBeDefined();
});
