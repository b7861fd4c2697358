/**
 * A shop whose visitors have a cart before they sign in: typed fields of a session on Fastify, a sign-in that takes the cart along, a
 * change that asks who you are once more, and a logout that is final for whatever is under way.
 */
import { createSessionManager, resolveConfig } from "@clean-arch/runtime";
import { createMemorySessionStore } from "@clean-arch/runtime/memory";
import { fastifySessions, sessionProblemOf } from "@clean-arch/runtime/sessions/fastify";
import fastify from "fastify";

declare module "@clean-arch/runtime/sessions" {
  interface SessionData {
    cart: string[];
  }
}

// With a Redis: createRedisSessionStore({ url }) of "@clean-arch/runtime/redis".
const sessions = createSessionManager({ store: createMemorySessionStore(), config: resolveConfig().context });
await sessions.open();

const app = fastify();
await app.register(fastifySessions, { sessions });
app.setErrorHandler((error, _request, reply) => {
  const problem = sessionProblemOf(error);
  if (problem === undefined) throw error;
  reply.code(problem.status).headers(problem.headers).send(problem.body);
});
app.post("/cart/:item", async ({ session, params }) => {
  session.set("cart", [...(session.get("cart") ?? []), (params as { item: string }).item]);
  return { cart: session.get("cart") };
});
app.post("/login", async ({ session }) => {
  // After the check of a password.
  await session.signIn({ subject: "ada", signIn: { level: 1 } });
  return { subject: session.subject, cart: session.get("cart") };
});
app.post("/password", async ({ session }) => {
  session.requireFresh({ maxAgeMs: 300_000, level: 2 });
  return { othersEnded: await session.revokeOthers() };
});
app.post("/second-factor", async ({ session }) => {
  await session.stepUp({ level: 2, methods: ["otp"] });
  return { level: session.signedIn?.level };
});
app.post("/logout", async ({ session }) => ({ ended: await session.destroy() }));
app.get("/cart", async ({ session }) => ({ cart: session.get("cart") ?? null, subject: session.subject }));

let cookie = "";
async function call(method: "GET" | "POST", url: string, withCookie = cookie): Promise<void> {
  const headers = { "sec-fetch-site": "same-origin", ...(withCookie !== "" && { cookie: withCookie }) };
  const answer = await app.inject({ method, url, headers });
  const set = answer.headers["set-cookie"];
  if (typeof set === "string") cookie = set.slice(0, set.indexOf(";"));
  const body = answer.statusCode < 400 ? answer.body : (answer.json() as { code: string }).code;
  console.log(`${method} ${url}: ${answer.statusCode} ${body}${set === undefined ? "" : ", sets the cookie"}`);
}

await call("GET", "/cart");
await call("POST", "/cart/lamp");
const planted = cookie;
await call("POST", "/login");
await call("GET", "/cart", planted);
await call("POST", "/password");
await call("POST", "/second-factor");
await call("POST", "/password");
const copied = cookie;
await call("POST", "/logout");
await call("GET", "/cart", copied);

await app.close();
await sessions.close();
