import { type FaultyProxy, startFaultyProxy } from "@clean-arch/test-servers";
import { expect, it } from "vitest";
import type { RunStore } from "../../store/run-store.js";
import type { PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

export interface Behind {
  readonly proxy: FaultyProxy;
  /** Reaches the server through the proxy. */
  readonly store: RunStore;
  readonly direct: PostgresUnderTest;
}

/** `it` with a store behind a proxy, and one that is not, on the same data. */
export function testBehindProxy({ open, server }: ReturnType<typeof postgresForTests>) {
  return (title: string, body: (behind: Behind) => Promise<void>): void =>
    it(title, async () => {
      const direct = await open();
      const proxy = await startFaultyProxy({ to: server().port });
      try {
        const url = direct.url.replace(String(server().port), String(proxy.port));
        const store = await direct.reopen({ url, statementTimeoutMs: 500, connectTimeoutMs: 500 });
        await body({ proxy, store, direct });
      } finally {
        await proxy.close();
        await direct.close();
      }
    });
}

/** Until there is an answer. */
export async function again<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: "store-unavailable" });
    }
  }
}
