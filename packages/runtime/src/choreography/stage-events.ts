import type { EventMessage } from "../broker/event-message.js";
import type { ContextDelta, Failure } from "../engine/records.js";
import { type CloudEvent, cloudEvent, eventMessage } from "../events/cloud-event.js";
import { isObject, type Json, type JsonObject } from "../json.js";

/** What is told of a unit, and of the saga as a whole. */
export type UnitNews = "completed" | "failed" | "compensated" | "stuck";
/** `abort`: somebody wants it undone. `abort-refused`: it is past its pivot. */
export type SagaNews = "started" | "abort" | "abort-refused";

/** What an event of a choreographed saga tells: `<saga>.<unit>.completed`, `<saga>.started`. */
export interface StageEvent {
  readonly id: string;
  readonly saga: string;
  /** Of the definition. */
  readonly version: string;
  /** The run that all of it belongs to. */
  readonly run: string;
  /** Null: the saga as a whole. */
  readonly unit: string | null;
  readonly news: UnitNews | SagaNews;
  /** With `started` and `completed`. */
  readonly carried: Carried | null;
  /** With `failed` and `abort`: why it goes back; with `stuck`: why it does not go on. */
  readonly error: Failure | null;
  /** With `failed`: the stage said no, it did not break. */
  readonly refused: boolean;
  /** With `stuck`: in undoing what it had completed. */
  readonly undoing?: boolean;
  /** Going back because the time of the whole is up: attempts under way are cut short. */
  readonly isLate: boolean;
  /** With `completed`: what the stage returned. */
  readonly output: Json;
  /** With `completed`: what the stage changed in the context. */
  readonly changed: ContextDelta | null;
}

/** What goes from unit to unit: nobody else holds it together. */
export interface Carried {
  readonly input: Json;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly context: JsonObject;
}

/** CloudEvents 1.0. Error: `payload-too-large`. */
export function stageMessage(event: StageEvent, source: string, at: number): EventMessage {
  const { id, saga, version, run, unit, news, carried, error, refused, undoing, isLate, output, changed } = event;
  const type = unit === null ? `${saga}.${news}` : `${saga}.${unit}.${news}`;
  const data = {
    ...{ run, saga, version, unit, news },
    ...(carried !== null && { ...carried }),
    ...(news === "completed" && { output, changed }),
    ...(error !== null && { error, refused }),
    ...(undoing === true && { undoing }),
    ...(isLate && { isLate }),
  };
  const message = eventMessage(cloudEvent({ id, source, type, subject: run, time: at, correlationid: run, data }), run);
  written.set(message, event);
  return message;
}

const written = new WeakMap<EventMessage, StageEvent>();

/** What a message of this process says. */
export function ownStageEvent(message: EventMessage): StageEvent | undefined {
  return written.get(message);
}

/** Null: it is no event of a choreographed saga. */
export function stageEventOf({ id, data }: CloudEvent): StageEvent | null {
  if (!isObject(data) || typeof data.run !== "string" || typeof data.saga !== "string") return null;
  const {
    run,
    saga,
    version,
    unit = null,
    news,
    input = null,
    outputs,
    context,
    error = null,
    refused,
    undoing,
    isLate,
    output = null,
    changed = null,
  } = data;
  return {
    ...{ id, run, saga, version: String(version), unit: unit as string | null, news: news as StageEvent["news"] },
    carried: isObject(outputs) && isObject(context) ? { input, outputs, context } : null,
    error: error as unknown as Failure | null,
    refused: refused === true,
    ...(undoing === true && { undoing }),
    isLate: isLate === true,
    output,
    changed: changed as unknown as ContextDelta | null,
  };
}
