import type { ConsumerConfig, ConsumerInfo, JetStreamManager } from "@nats-io/jetstream";
import { RuntimeError } from "../../errors.js";
import { coveringSubject } from "./covering-subject.js";
import { apiErrorOf, isAnswer, JETSTREAM } from "./driver-error.js";

const NANOS = 1_000_000;
/**
 * Messages of a group that are given out and not acknowledged, those that wait for a retry among them. Above it the group is given no
 * more until one of them is handled.
 */
export const MAX_UNACKNOWLEDGED = 10_000;
/** Of an ephemeral group, without a member that asks for messages. Longer than servers are away; then the member makes it anew. */
const FORGOTTEN_AFTER_MS = 300_000;
/** JetStream keeps so much of a description, bytes. */
const MAX_DESCRIPTION = 4_096;

export interface GroupPlace {
  readonly stream: string;
  readonly prefix: string;
  readonly group: string;
  readonly subjects: readonly string[];
  readonly silenceMs: number;
  readonly ephemeral?: boolean;
}

/** From a sequence of the stream on, or from the oldest message kept. */
export type GroupStart = number | "oldest";

/**
 * A group is one durable consumer with one filter, also of several subjects: with a consumer for each of them, two events of a key with
 * different subjects would come in any order. What the filter lets through and the group does not want, its members acknowledge
 * unhandled. The group's subjects stand in the description, for members that want others: the newest decides.
 */
function configOf({ prefix, group, subjects, silenceMs, ephemeral = false }: GroupPlace) {
  return {
    durable_name: group,
    description: JSON.stringify(subjects),
    filter_subject: `${prefix}.${coveringSubject(subjects)}`,
    ack_policy: "explicit",
    ack_wait: silenceMs * NANOS,
    max_ack_pending: MAX_UNACKNOWLEDGED,
    max_deliver: -1,
    replay_policy: "instant",
    ...(ephemeral && { inactive_threshold: FORGOTTEN_AFTER_MS * NANOS }),
  } as const;
}

/** Error: `input-invalid`. */
export function checkSubjects(subjects: readonly string[]): void {
  if (Buffer.byteLength(JSON.stringify(subjects)) <= MAX_DESCRIPTION) return;
  const message = `expected the subjects of a subscription to have at most ${MAX_DESCRIPTION} bytes together, got ${subjects.length} longer ones; use * and >`;
  throw new RuntimeError("input-invalid", message, { subjects: subjects.length });
}

/** Makes it, or changes it where it is another. Rejects with the driver's errors. */
export async function openConsumer(jsm: JetStreamManager, place: GroupPlace): Promise<ConsumerInfo> {
  const wanted = configOf(place);
  const found = await consumerInfo(jsm, place);
  if (found === null) return addConsumer(jsm, place, "oldest");
  const isAsWanted = Object.entries(wanted).every(
    ([key, value]) => found.config[key as keyof ConsumerConfig] === value,
  );
  if (isAsWanted) return found;
  return jsm.consumers.update(place.stream, place.group, wanted as unknown as ConsumerConfig);
}

/** Another member may make it at the same time, with another start: then it is that one's. */
export async function addConsumer(jsm: JetStreamManager, place: GroupPlace, start: GroupStart): Promise<ConsumerInfo> {
  const from =
    start === "oldest"
      ? { deliver_policy: "all" }
      : { deliver_policy: "by_start_sequence", opt_start_seq: Math.max(1, start) };
  const config = { ...configOf(place), ...from } as unknown as ConsumerConfig;
  try {
    return await jsm.consumers.add(place.stream, config);
  } catch (error) {
    const found = apiErrorOf(error) === null ? null : await consumerInfo(jsm, place);
    if (found === null) throw error;
    return found;
  }
}

/** Null: it is not there; rejects when the stream is not there either. */
export async function consumerInfo(jsm: JetStreamManager, place: GroupPlace): Promise<ConsumerInfo | null> {
  try {
    return await jsm.consumers.info(place.stream, place.group);
  } catch (error) {
    if (isAnswer(error, JETSTREAM.consumerNotFound)) return null;
    throw error;
  }
}

export async function deleteConsumer(jsm: JetStreamManager, { stream, group }: GroupPlace): Promise<void> {
  try {
    await jsm.consumers.delete(stream, group);
  } catch (error) {
    if (!isAnswer(error, JETSTREAM.consumerNotFound)) throw error;
  }
}

/** Those that the group wants by now; those given when somebody else wrote the description. */
export function subjectsIn(info: ConsumerInfo, fallback: readonly string[]): readonly string[] {
  try {
    const subjects: unknown = JSON.parse(info.config.description ?? "");
    if (Array.isArray(subjects) && subjects.every((subject) => typeof subject === "string")) return subjects;
  } catch {
    // Not ours.
  }
  return fallback;
}
