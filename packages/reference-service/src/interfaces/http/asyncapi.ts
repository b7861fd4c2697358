/** The AsyncAPI 3.0 document: the events that the service publishes, those that it handles, and those of its stages. */
import type { FastifyInstance } from "fastify";
import { type TSchema, Type } from "typebox";
import type { HttpSettings } from "./http-settings.js";

export interface DescribedEvents {
  readonly published: readonly PublishedEvent[];
  readonly consumed: readonly ConsumedEvents[];
  /** Choreographed ones, whose stages tell each other what happened. */
  readonly sagas: readonly DescribedSaga[];
}

export interface PublishedEvent {
  readonly type: string;
  readonly summary: string;
  readonly data: TSchema;
}

export interface ConsumedEvents {
  readonly handler: string;
  /** Null: this service. */
  readonly from: string | null;
  readonly subjects: readonly string[];
}

export interface DescribedSaga {
  readonly name: string;
  readonly waves: readonly { readonly steps: readonly { readonly name: string }[] }[];
}

interface Channel {
  readonly id: string;
  readonly action: "send" | "receive";
  readonly service: string;
  /** Type of the events, perhaps with wildcards. */
  readonly subject: string;
  readonly summary: string;
  readonly data: TSchema;
}

export function asyncapiRoute(app: FastifyInstance, settings: HttpSettings, events: DescribedEvents): void {
  const document = asyncapiDocument(settings, events);
  app.get("/asyncapi.json", { schema: { hide: true } }, async () => document);
}

type About = Pick<HttpSettings, "name" | "version" | "description">;

export function asyncapiDocument({ name, version, description }: About, events: DescribedEvents): object {
  const channels = [
    ...events.published.map((event) => channelOf({ ...event, action: "send", service: name, subject: event.type })),
    ...events.sagas.flatMap(({ name: saga, waves }) =>
      newsOf(saga, waves).map(([subject, summary, data]) =>
        channelOf({ action: "send", service: name, subject, summary, data }),
      ),
    ),
    ...events.consumed.flatMap(({ handler, from, subjects }) =>
      subjects.map((subject, i) => {
        const id = `${handler}.${i + 1}`;
        const summary = `Handled by ${handler}.`;
        return { id, action: "receive" as const, service: from ?? name, subject, summary, data: Type.Unknown() };
      }),
    ),
  ];
  return {
    asyncapi: "3.0.0",
    info: { title: name, version, ...(description === "" ? {} : { description }) },
    defaultContentType: "application/cloudevents+json",
    channels: Object.fromEntries(channels.map((channel) => [channel.id, describeChannel(channel)])),
    operations: Object.fromEntries(
      channels.map(({ id, action, summary }) => [
        `${action}.${id}`,
        {
          action,
          summary,
          channel: { $ref: `#/channels/${id}` },
          messages: [{ $ref: `#/channels/${id}/messages/event` }],
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(channels.map((channel) => [channel.id, describeMessage(channel)])),
    },
  };
}

const channelOf = (channel: Omit<Channel, "id">): Channel => ({ ...channel, id: channel.subject });

/** On NATS the address is the subject. A wildcard is a parameter: any word, or all that follow. */
function describeChannel({ id, service, subject }: Channel): object {
  const parameters: Record<string, object> = {};
  const words = subject.split(".").map((word, i) => {
    if (word !== "*" && word !== ">") return word;
    const parameter = word === "*" ? `word${i + 1}` : "rest";
    parameters[parameter] = { description: word === "*" ? "Any word." : "One word or more." };
    return `{${parameter}}`;
  });
  return {
    address: [service, ...words].join("."),
    messages: { event: { $ref: `#/components/messages/${id}` } },
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

/** CloudEvents 1.0 in their JSON format. */
function describeMessage({ action, subject, summary, data }: Channel): object {
  const isExact = !/[*>]/.test(subject);
  const text = { type: "string", minLength: 1 };
  return {
    name: subject,
    summary,
    payload: {
      type: "object",
      required: ["specversion", "id", "source", "type", ...(action === "send" ? ["subject", "time", "data"] : [])],
      properties: {
        specversion: { const: "1.0" },
        id: text,
        source: { type: "string", format: "uri-reference", minLength: 1 },
        type: isExact ? { const: subject } : text,
        subject: text,
        time: { type: "string", format: "date-time" },
        datacontenttype: text,
        traceparent: text,
        correlationid: text,
        causationid: text,
        data,
      },
    },
  };
}

const Json = Type.Unknown();
const Outputs = Type.Record(Type.String(), Json);
const facts = { run: Type.String(), saga: Type.String(), version: Type.String() };
const CARRIED = { input: Json, outputs: Outputs, context: Outputs };
const FAILURE = {
  error: Type.Object({ code: Type.String(), message: Type.String() }),
  refused: Type.Boolean(),
};

/** What is told of a choreographed saga, and of each of its stages. The gates between waves are its own business. */
function newsOf(
  saga: string,
  waves: DescribedSaga["waves"],
): (readonly [subject: string, summary: string, data: TSchema])[] {
  const ofSaga = { ...facts, unit: Type.Null() };
  const stages = waves.flatMap(({ steps }) => steps.map(({ name }) => name));
  return [
    [`${saga}.started`, "A run has begun.", Type.Object({ ...ofSaga, news: Type.Literal("started"), ...CARRIED })],
    [`${saga}.abort`, "A run is to be undone.", Type.Object({ ...ofSaga, news: Type.Literal("abort"), ...FAILURE })],
    [
      `${saga}.abort-refused`,
      "A run was to be undone, and is past its pivot.",
      Type.Object({ ...ofSaga, news: Type.Literal("abort-refused") }),
    ],
    ...stages.flatMap((stage) => {
      const ofStage = { ...facts, unit: Type.Literal(stage) };
      const told = (news: string, summary: string, more: Record<string, TSchema>) =>
        [`${saga}.${stage}.${news}`, summary, Type.Object({ ...ofStage, news: Type.Literal(news), ...more })] as const;
      return [
        told("completed", "The stage has completed.", { ...CARRIED, output: Json, changed: Json }),
        told("failed", "The stage failed for good.", FAILURE),
        told("compensated", "The stage is undone, or had nothing to undo.", {}),
        told("stuck", "The stage waits for an operator.", { ...FAILURE, undoing: Type.Optional(Type.Boolean()) }),
      ];
    }),
  ];
}
