export type { NatsBrokerOptions } from "./broker-options.js";
export { CALLS_STREAM } from "./calls-stream.js";
export { createNatsBroker } from "./nats-broker.js";
