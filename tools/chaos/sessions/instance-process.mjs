// One instance of a service that has nothing but sessions: carries out what its parent asks over the channel, tells it of
// expired sessions and waits until it took them, and keeps the contexts that it owns alive. Ends when the channel does.
import { createSessionManager, DEFAULT_CONFIG, RuntimeError } from "@clean-arch/runtime";
import { createRedisSessionStore } from "@clean-arch/runtime/redis";

const { url, name, ttlMs, absoluteTtlMs, perSubject, commandTimeoutMs, sweepIntervalMs, leaseMs, contextIdleMs } =
  JSON.parse(process.env.SESSION_CHAOS ?? "{}");

const store = createRedisSessionStore({ url, commandTimeoutMs });
const unconfirmed = new Map();
let told = 0;
const manager = createSessionManager({
  store,
  config: { ...DEFAULT_CONFIG.context, ttlMs, absoluteTtlMs },
  limits: { perSubject, policy: "evict-oldest" },
  sweepIntervalMs,
  events: (event) => {
    if (event.kind !== "expired") return;
    told += 1;
    const number = told;
    process.send?.({ expired: { number, session: event.id, expiredAt: event.expiredAt } });
    return new Promise((resolve) => unconfirmed.set(number, resolve));
  },
});

const calls = {
  create: (subject, data) => manager.create({ subject, data }),
  load: (token) => manager.load(token),
  resume: (token) => manager.resume(token),
  get: (id) => manager.get(id),
  write: (id, field, value) => manager.write(id, { set: { [field]: value } }),
  increment: (id, field) => manager.update(id, (data) => ({ ...data, [field]: (data[field] ?? 0) + 1 })),
  rotate: (token, graceMs) => manager.rotate(token, graceMs),
  destroy: (id) => manager.destroy(id),
  revokeSubject: (subject) => manager.revokeSubject(subject),
  list: (subject) => manager.list({ subject }),
  context: (id) =>
    store.create({
      ...{ id, kind: "context", tokenHash: null, subject: null, data: {}, owner: name },
      ...{ idleMs: contextIdleMs, absoluteMs: null },
    }),
  ownerOf: async (id) => (await store.loadById(id))?.owner ?? null,
};

process.on("message", (message) => {
  if ("taken" in message) {
    unconfirmed.get(message.taken)?.();
    unconfirmed.delete(message.taken);
    return;
  }
  const { id, call, args } = message;
  Promise.resolve()
    .then(() => calls[call](...args))
    .then(
      (result) => process.send?.({ id, result: result ?? null }),
      (error) => {
        const code = error instanceof RuntimeError ? error.code : "not-ours";
        process.send?.({ id, code, message: String(error?.stack ?? error) });
      },
    );
});
process.on("disconnect", () => process.exit(0));

async function open() {
  for (;;) {
    try {
      await manager.open();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

await open();
process.send?.({ ready: true });
for (;;) {
  await store.renewOwner(name, leaseMs, 1_000).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, leaseMs / 4));
}
