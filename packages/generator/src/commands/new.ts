/** `new NAME`: a first config with comments, and the project it leads to. */
import { refusal, shown } from "../diagnostics.js";
import { namesOf } from "../naming.js";
import { readConfig } from "../spec/read.js";
import type { Command } from "./command.js";
import { writeFromConfig } from "./generate.js";

export const newProject: Command = async (invocation) => {
  const given = invocation.positionals[0];
  if (given === undefined) throw refusal("bad-flag", "clean-arch-generator", "`new NAME`", "no name");
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(given)) {
    const expected = "a name (a letter, then letters, digits, - and _, at most 64 characters)";
    throw refusal("bad-name", "clean-arch-generator", expected, shown(given), "`--out DIR` says where it goes");
  }
  const name = namesOf(given).kebab;
  const text = starterConfig(name);
  const { config } = readConfig(Buffer.from(text), "clean-arch.yaml");
  const flags = { ...invocation.flags, out: invocation.flags.out ?? `./${given}` };
  return writeFromConfig({ ...invocation, flags }, { config, text, source: "clean-arch.yaml", standIn: name });
};

/** Valid as it stands; every block a beginner meets, with what it means. */
const starterConfig = (
  name: string,
): string => `# The config of ${name}. Every key has a default; editors complete and check it by its schema.
# After a change: clean-arch-generator --config clean-arch.yaml --out .
project:
  name: ${name}
  description: ""

http:
  port: 8080

# What the service is about. Each entity gets a type, a table, use cases and routes.
domain:
  entities:
    - name: Order
      fields:
        - { name: customer, type: string, required: true, max_length: 200 }
        - { name: total, type: decimal, required: true, min: 0 }
        - { name: status, type: enum, values: [pending, confirmed, cancelled], default: pending }

# Participants. local: a function in this service. With a url: over HTTP. With neither: simulated outside production.
services:
  orders: { transport: local }
  inventory: {}
  payment: {}

session:
  saga:
    timeout: 300 # seconds for a whole run
  context:
    storage: redis # sqlite stands in outside production when no redis url is set
    ttl: 3600
  checkpoint:
    strategy: time # or step, count, manual
    interval: 30
  recovery:
    strategy: compensate # or retry, manual
    max_attempts: 5
    backoff: exponential

long_running:
  tasks:
    - name: place_order
      stages:
        - { name: check_order, service: orders, endpoint: /check }
        - { name: reserve_stock, service: inventory, endpoint: /reserve, timeout: 60 }
        - { name: charge, service: payment, endpoint: /charge, timeout: 120 }
      # What undoes a stage when a later one fails; called in reverse order.
      compensation:
        - { stage: reserve_stock, action: release }
        - { stage: charge, action: refund }
`;
