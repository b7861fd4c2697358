export type { NatsBrokerOptions } from "./broker-options.js";
export { createNatsBroker } from "./nats-broker.js";
