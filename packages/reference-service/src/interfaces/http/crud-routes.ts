/**
 * The routes of one entity, over whichever of its use cases exist. The schemas describe the bodies for the OpenAPI
 * document; whether a body fits is decided by the domain alone, which reports everything at once.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Expectation, Field, Identified, Page, PageRequest } from "../../application/entity.js";
import { viewOf } from "../../application/entity-view.js";
import { Refusal } from "../../application/errors.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { entitySchemas, pageSchema } from "./field-schemas.js";
import { etagOf, matchingRevisions } from "./if-match.js";
import { Problem } from "./problem.js";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export interface CrudRoutes<Entity extends Identified, New, Patch> {
  /** `/api/v1/order-lines` */
  readonly path: string;
  /** As the OpenAPI document shows it: `OrderLine`. */
  readonly name: string;
  /** The key in HTTP bodies of every field, by property. */
  readonly keys: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, Field>>;
  readonly useCases: {
    readonly create?: (input: New) => Promise<Entity>;
    readonly get?: (id: string) => Promise<Entity>;
    readonly list?: (request: PageRequest) => Promise<Page<Entity>>;
    readonly update?: (id: string, patch: Patch, expectation?: Expectation) => Promise<Entity>;
    readonly delete?: (id: string, expectation?: Expectation) => Promise<void>;
  };
}

type WithId = FastifyRequest<{ Params: { id: string } }>;

export function registerCrudRoutes<Entity extends Identified, New, Patch>(
  app: FastifyInstance,
  { path, name, keys, fields, useCases }: CrudRoutes<Entity, New, Patch>,
): void {
  const body = bodyReader(keys);
  const present = viewOf(keys);
  const schemas = entitySchemas(keys, fields);
  const shared = { validatorCompiler: () => () => true };
  const describe = (summary: string) => ({ tags: [name], summary: `${summary} ${name}` });
  const one = `${path}/:id`;
  const { create, get, list, update, delete: remove } = useCases;

  const sendOne = (reply: FastifyReply, entity: Entity): FastifyReply =>
    reply.header("etag", etagOf(entity.revision)).send(present(entity));

  if (create !== undefined) {
    const schema = { ...describe("Create"), body: schemas.create, response: { 201: schemas.entity } };
    app.post(path, { ...shared, schema }, async (request, reply) => {
      const entity = await body.run(request, (input) => create(input as New));
      return sendOne(reply.code(201).header("location", `${path}/${entity.id}`), entity);
    });
  }

  if (list !== undefined) {
    const schema = { ...describe("List"), querystring: PAGE_QUERY, response: { 200: pageSchema(schemas.entity) } };
    app.get(path, { ...shared, schema }, async (request) => {
      const page = await list(pageRequest(request.query as Record<string, unknown>));
      const next = page.next === null ? null : encodeCursor(page.next);
      return { items: page.items.map(present), next_cursor: next };
    });
  }

  if (get !== undefined) {
    const schema = { ...describe("Get"), params: ID, response: { 200: schemas.entity } };
    app.get(one, { ...shared, schema }, async (request: WithId, reply) => sendOne(reply, await get(idOf(request))));
  }

  if (update !== undefined) {
    const schema = {
      ...describe("Change"),
      consumes: ["application/merge-patch+json", "application/json"],
      params: ID,
      headers: IF_MATCH,
      body: schemas.patch,
      response: { 200: schemas.entity },
    };
    app.patch(one, { ...shared, schema }, async (request: WithId, reply) => {
      const id = idOf(request);
      const revisions = matchingRevisions(request.headers["if-match"]);
      return sendOne(reply, await body.run(request, (patch) => update(id, patch as Patch, { revisions })));
    });
  }

  if (remove !== undefined) {
    const response = { 204: Type.Null({ description: "Deleted." }) };
    const schema = { ...describe("Delete"), params: ID, headers: IF_MATCH, response };
    app.delete(one, { ...shared, schema }, async (request: WithId, reply) => {
      await remove(idOf(request), { revisions: matchingRevisions(request.headers["if-match"]) });
      return reply.code(204).send();
    });
  }
}

/** Between the keys of bodies and the names of properties, both ways. */
function bodyReader(keys: Readonly<Record<string, string>>) {
  const propertyOf = new Map(Object.entries(keys).map(([property, key]) => [key, property]));
  const keyOf = new Map(Object.entries(keys));

  function read(body: unknown): object {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw invalid([{ path: "", message: "expected a JSON object" }]);
    }
    const unknown = Object.keys(body).filter((key) => !propertyOf.has(key));
    if (unknown.length > 0) {
      throw invalid(unknown.slice(0, 20).map((key) => ({ path: key.slice(0, 80), message: "expected no such field" })));
    }
    return Object.fromEntries(Object.entries(body).map(([key, value]) => [propertyOf.get(key), value]));
  }

  return {
    /** Calls with the body in the application's names; a refusal comes back in the body's. */
    async run<Result>(request: FastifyRequest, call: (input: object) => Promise<Result>): Promise<Result> {
      const input = read(request.body);
      try {
        return await call(input);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const violations = error.violations.map(({ path, message }) => ({ path: keyOf.get(path) ?? path, message }));
        throw new Refusal(error.code, error.message, violations);
      }
    },
  };
}

function invalid(errors: readonly { readonly path: string; readonly message: string }[]): Problem {
  return new Problem(422, "validation-failed", "The body does not fit.", { errors });
}

/** An id of another shape is the id of nothing. */
function idOf(request: WithId): string {
  const { id } = request.params;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id.toLowerCase();
  throw new Refusal("not-found", "There is none with this id.");
}

function pageRequest({ limit, cursor, ...others }: Record<string, unknown>): PageRequest {
  // Ignored, a filter that is none would give everything.
  const unknown = Object.keys(others).slice(0, 20);
  if (unknown.length > 0) {
    const errors = unknown.map((key) => ({ path: key.slice(0, 80), message: "unknown key" }));
    throw new Problem(422, "validation-failed", "The query does not fit.", { errors });
  }
  return { limit: limitOf(limit), after: cursor === undefined ? null : decodeCursor(cursor) };
}

function limitOf(limit: unknown): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  const value = typeof limit === "string" && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (value >= 1 && value <= MAX_LIMIT) return value;
  const errors = [{ path: "limit", message: `expected a whole number from 1 to ${MAX_LIMIT}` }];
  throw new Problem(422, "validation-failed", "The query does not fit.", { errors });
}

const ID = Type.Object({ id: Type.String({ format: "uuid" }) });

const IF_MATCH = Type.Object({
  "if-match": Type.Optional(Type.String({ description: 'The revision this change is made for: "3".' })),
});

const PAGE_QUERY = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })),
  cursor: Type.Optional(Type.String({ description: "The `next_cursor` of the page before." })),
});
