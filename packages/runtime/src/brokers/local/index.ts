export { createLocalBroker, type LocalBrokerOptions } from "./local-broker.js";
