import { RuntimeError } from "../../errors.js";

export function loadTransport() {
  return load("@nats-io/transport-node", import("@nats-io/transport-node"));
}

export function loadJetStream() {
  return load("@nats-io/jetstream", import("@nats-io/jetstream"));
}

function load<Module>(name: string, module: Promise<Module>): Promise<Module> {
  return module.catch((cause: unknown) => {
    const message = `expected the package "${name}" to be installed, it is not; run npm install @nats-io/transport-node @nats-io/jetstream`;
    throw new RuntimeError("config-invalid", message, { package: name }, { cause });
  });
}
