import type { JetStreamManager, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import type { NatsSettings } from "./broker-options.js";
import { apiErrorOf, fromDriver, isAnswer, JETSTREAM } from "./driver-error.js";
import { MAX_HEADER_BYTES } from "./envelope.js";

const NANOS = 1_000_000;

/** What the stream is made with. All that is not here stays as the server has it. */
function wantedConfig(settings: NatsSettings) {
  return {
    subjects: [`${settings.prefix}.>`],
    num_replicas: settings.replicas,
    max_age: settings.maxAgeMs * NANOS,
    max_bytes: settings.maxBytes ?? -1,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: MAX_EVENT_BYTES + MAX_HEADER_BYTES,
    duplicate_window: settings.duplicateWindowMs * NANOS,
    discard: "old",
  } as const;
}

/** What cannot be changed later, and what the broker's promises stand on. */
const FIXED = { retention: "limits", storage: "file" } as const;

/**
 * Makes the stream, or changes its settings where they are others. Rejects with `broker-incompatible` where JetStream does not allow it,
 * with what it said. Harmless when several do it at once.
 */
export async function openStream(jsm: JetStreamManager, settings: NatsSettings): Promise<StreamInfo> {
  const wanted = wantedConfig(settings);
  const { stream: name, logger } = settings;
  try {
    const found = await streamInfo(jsm, name);
    if (found === null) {
      const made = await jsm.streams.add({ name, ...FIXED, ...wanted } as unknown as StreamConfig & { name: string });
      logger.info({ stream: name }, "made the stream");
      return made;
    }
    expectFixed(found.config, settings);
    const changed = Object.entries(wanted).filter(([key, value]) => !isSame(found.config[key as never], value));
    if (changed.length === 0) return found;
    logger.info({ stream: name, changed: changed.map(([key]) => key) }, "changed the stream's settings");
    return await jsm.streams.update(name, wanted as unknown as Partial<StreamConfig>);
  } catch (error) {
    const answer = apiErrorOf(error);
    if (answer === null || answer.status === 503) throw fromDriver(error);
    const message = `expected JetStream to keep the stream ${name} with the settings given, got: ${answer.description} (${answer.code}); change the settings, the account's limits, or the stream's name`;
    throw new RuntimeError("broker-incompatible", message, { stream: name, jetstream: answer.code }, { cause: error });
  }
}

/** Null: there is none. */
export async function streamInfo(jsm: JetStreamManager, name: string): Promise<StreamInfo | null> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (isAnswer(error, JETSTREAM.streamNotFound)) return null;
    throw error;
  }
}

function expectFixed(config: StreamConfig, { stream }: NatsSettings): void {
  for (const [key, value] of Object.entries(FIXED)) {
    const got: unknown = config[key as keyof typeof FIXED];
    if (got === value) continue;
    const message = `expected the stream ${stream} to have ${key} ${value}, got ${String(got)}; delete it when nobody needs it, or give another name`;
    throw new RuntimeError("broker-incompatible", message, { stream, [key]: got });
  }
}

function isSame(found: unknown, wanted: unknown): boolean {
  return JSON.stringify(found) === JSON.stringify(wanted);
}
