export type { Barrier, BarrierCall, BarrierHandler, BarrierOptions, BarrierRunOptions } from "./barrier.js";
export { type ExpressBarrier, expressBarrier } from "./express.js";
export { type FastifyBarrier, fastifyBarrier } from "./fastify.js";
export type { HttpCall } from "./http-call.js";
export type { HttpBarrierOptions } from "./http-route.js";
export { type PostgresBarrierOptions, postgresBarrier } from "./postgres-barrier.js";
export type { PostgresClient, PostgresPool } from "./postgres-client.js";
export { type SqliteBarrierOptions, sqliteBarrier } from "./sqlite-barrier.js";
export type { SqliteDatabase } from "./sqlite-handle.js";
