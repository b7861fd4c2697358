import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Request, Response } from "express";
import type { FastifyReply, FastifyRequest } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RuntimeError } from "../../errors.js";
import { type Framework, openWeb } from "./web-service.test.support.js";

/**
 * However an answer is sent: what the request changed is written before its first byte leaves, and when it cannot be, the client gets
 * that and nothing of the answer.
 */
let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "responses-"));
  file = join(folder, "page.txt");
  writeFileSync(file, "from a file");
});
afterAll(() => rmSync(folder, { recursive: true }));

type OnExpress = (response: Response, request: Request) => unknown;

const onExpress: Readonly<Record<string, OnExpress>> = {
  json: (response) => response.json("answer"),
  end: (response) => response.end('"answer"'),
  "end with its encoding and a callback": (response) =>
    response.end(Buffer.from('"answer"').toString("base64"), "base64", () => undefined),
  "several writes": (response) => {
    response.write('"ans');
    response.write(Buffer.from("wer"));
    response.end('"');
  },
  "writes that are called back": (response) => {
    response.write('"ans', () => response.write("wer", "utf8", () => response.end('"')));
  },
  "writes that wait for drain": (response) => {
    if (response.write('"ans')) response.end('wer"');
    else response.once("drain", () => response.end('wer"'));
  },
  writeHead: (response) => response.writeHead(200, { "x-own": "1" }).end('"answer"'),
  "writeHead with a message": (response) => response.writeHead(200, "Fine", { "x-own": "1" }).end('"answer"'),
  "writeHead with a flat list": (response) => response.writeHead(200, ["x-own", "1", "x-own", "2"]).end('"answer"'),
  "writeHead with a cookie of its own": (response) =>
    response.writeHead(200, { "set-cookie": ["own=1", "other=2"] }).end('"answer"'),
  "writeHead after a cookie that was set": (response) =>
    response.cookie("own", "1").writeHead(200, { "content-type": "application/json" }).end('"answer"'),
  flushHeaders: (response) => {
    response.flushHeaders();
    response.end('"answer"');
  },
  "a stream that is piped": (response) => Readable.from(['"ans', "wer", '"']).pipe(response),
  "a length that was promised": (response) => response.set("content-length", "8").end('"answer"'),
};

/** Works on an answer while the session of its request is written. */
async function openGated(framework: Framework) {
  const closed = signal();
  const state = {
    fails: false,
    seen: [] as string[],
    onCommit: (): Promise<void> | void => undefined,
    closed: closed.given,
  };
  const web = await openWeb(
    framework,
    {
      intercept: async (method, call) => {
        if (method !== "commit") return call();
        state.seen.push("commit");
        await state.onCommit();
        if (state.fails) throw new RuntimeError("store-unavailable", "expected the store to answer, got nothing");
        return call();
      },
    },
    {
      express: (app) => {
        app.all("/express/:how", (request, response, next) => {
          request.session.set("a", String(request.query.value));
          watch(response, state.seen);
          const answer = onExpress[request.params.how];
          if (answer === undefined) next();
          else answer(response, request);
        });
        app.all("/file", (request, response) => {
          request.session.set("a", "2");
          response.sendFile(file);
        });
        app.all("/redirect", (request, response) => {
          request.session.set("a", "2");
          response.redirect(303, "/elsewhere");
        });
        app.all("/throws", (request) => {
          request.session.set("a", "2");
          throw Object.assign(new Error("teapot"), { status: 418, expose: true });
        });
        app.all("/not-modified", (request, response) => {
          request.session.set("a", "2");
          response.set("etag", '"x"').status(304).end();
        });
        app.all("/full", (request, response) => {
          request.session.set("a", "2");
          state.seen.push(String(response.write("a")));
          response.once("drain", () => response.end("b"));
        });
        app.all("/sent", (request, response) => {
          request.session.set("a", "2");
          response.end("first");
          response.locals.sent = [response.headersSent, response.writableEnded];
          state.seen.push(JSON.stringify(response.locals.sent));
          if (!response.headersSent) response.end("second");
        });
        app.all("/endless", (request, response) => {
          request.session.set("a", "2");
          const source = new Readable({ read: () => void source.push("x".repeat(1_000)) });
          response.on("close", () => {
            source.destroy();
            closed.give();
          });
          source.pipe(response);
        });
      },
      fastify: (app) => {
        const changing = async ({ session }: FastifyRequest): Promise<void> => session.set("a", "2");
        app.all("/file", { preHandler: changing }, (_request, reply) => {
          const stream = createReadStream(file);
          stream.on("close", closed.give);
          return reply.header("content-type", "text/plain; charset=UTF-8").send(stream);
        });
        app.all("/web-stream", { preHandler: changing }, () => new Response("web").body);
        app.all("/response", { preHandler: changing }, () => new Response("web", { status: 201 }));
        app.all("/redirect", { preHandler: changing }, (_request: FastifyRequest, reply: FastifyReply) =>
          reply.redirect("/elsewhere", 303),
        );
        app.all("/throws", { preHandler: changing }, () => {
          throw Object.assign(new Error("teapot"), { statusCode: 418 });
        });
        app.all("/not-modified", { preHandler: changing }, (_request: FastifyRequest, reply: FastifyReply) =>
          reply.header("etag", '"x"').code(304).send(),
        );
        app.all("/raw", { preHandler: changing }, async ({ session }, reply) => {
          reply.hijack();
          await session.save();
          reply.raw.end("raw");
        });
      },
    },
  );
  const { cookie } = await web.call("POST", "/set?value=1");
  const stored = async (): Promise<unknown> => (await web.store.list({ limit: 1 })).items[0]?.data.a;
  return { ...web, cookie, state, stored };
}

function signal(): { readonly given: Promise<void>; give(): void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** Notes when the head really leaves. */
function watch(response: ServerResponse, seen: string[]): void {
  const { socket } = response;
  const write = socket?.write.bind(socket);
  if (socket === null || write === undefined) return;
  socket.write = ((...args: Parameters<typeof write>) => {
    if (String(args[0]).startsWith("HTTP/1.1")) seen.push("head");
    return write(...args);
  }) as typeof write;
}

describe("an answer of Express", () => {
  it.each(Object.keys(onExpress))("by %s leaves after the session is written", async (how) => {
    const { call, cookie, state, stored } = await openGated("Express");
    const path = `/express/${encodeURIComponent(how)}`;
    const written = await call("POST", `${path}?value=2`, { cookie });
    expect([written.status, written.text, await stored()]).toEqual([200, '"answer"', "2"]);
    expect(state.seen).toEqual(["commit", "head"]);
    // The same request, and its answer, without a change.
    const same = await call("POST", `${path}?value=2`, { cookie });
    const bare = ({ date: _, "set-cookie": cookies = [], ...others }: typeof same.headers) => [others, cookies.length];
    expect([same.text, bare(same.headers)]).toEqual([written.text, bare(written.headers)]);
    expect(state.seen.filter((what) => what === "commit")).toHaveLength(1);
    // A new session, and its cookie beside those of the handler.
    const begun = await call("POST", `${path}?value=2`);
    expect([begun.status, begun.text]).toEqual([200, '"answer"']);
    expect(begun.headers["set-cookie"]?.filter((text) => text.startsWith("__Host-session="))).toHaveLength(1);
    expect(begun.headers["set-cookie"]).toHaveLength(1 + (same.headers["set-cookie"]?.length ?? 0));
    expect(begun.headers["cache-control"]).toBe("no-store");
  });

  it.each(Object.keys(onExpress))("by %s is none when the session cannot be written", async (how) => {
    const { call, cookie, state, stored } = await openGated("Express");
    state.fails = true;
    const { status, text, headers } = await call("POST", `/express/${encodeURIComponent(how)}?value=2`, { cookie });
    expect([status, JSON.parse(text).code, headers["content-type"]]).toEqual([
      503,
      "store-unavailable",
      "application/problem+json; charset=utf-8",
    ]);
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
    expect(await stored()).toBe("1");
  });

  it("says that its buffer is full while it waits, and then drains", async () => {
    const { call, cookie, state } = await openGated("Express");
    expect((await call("GET", "/full", { cookie })).text).toBe("ab");
    expect(state.seen).toEqual(["commit", "false"]);
  });

  it("says that it was sent while it waits, so that nobody answers twice", async () => {
    const { call, cookie, state } = await openGated("Express");
    expect((await call("GET", "/sent", { cookie })).text).toBe("first");
    expect(state.seen).toEqual(["commit", "[true,true]"]);
  });

  it("that never ends is let go when the session cannot be written", async () => {
    const { call, cookie, state } = await openGated("Express");
    state.fails = true;
    expect((await call("GET", "/endless", { cookie })).status).toBe(503);
    await state.closed;
  });

  it("is left as it is when nothing can have changed", async () => {
    const seen: boolean[] = [];
    const { call } = await openWeb(
      "Express",
      {},
      {
        express: (app) =>
          app.get("/looks", ({ session }, response) => {
            session.get("a");
            const touched = ["end", "write", "writeHead", "flushHeaders"].some((name) => Object.hasOwn(response, name));
            seen.push(touched);
            response.end();
          }),
      },
    );
    const { cookie } = await call("POST", "/set");
    await call("GET", "/looks", { cookie });
    await call("GET", "/looks");
    expect(seen).toEqual([false, false]);
  });
});

describe.each(["Fastify", "Express"] as const)("an answer of %s", (framework) => {
  const cases: readonly [path: string, status: number, text: string][] = [
    ["/file", 200, "from a file"],
    ["/redirect", 303, ""],
    ["/throws", 418, "teapot"],
    ["/not-modified", 304, ""],
    ...(framework === "Fastify"
      ? ([
          ["/web-stream", 200, "web"],
          ["/response", 201, "web"],
          ["/raw", 200, "raw"],
        ] satisfies [string, number, string][])
      : []),
  ];

  it.each(cases)("to %s, with its status, keeps what the request changed", async (path, status, text) => {
    const { call, cookie, stored } = await openGated(framework);
    const answer = await call("GET", path, { cookie });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(await stored()).toBe("2");
    const head = await call("HEAD", path);
    expect(head.status).toBe(status);
    // Whoever hijacks an answer also sets its cookies.
    if (path !== "/raw") expect(head.headers["set-cookie"]).toHaveLength(1);
  });

  it.each(cases.filter(([path]) => path !== "/raw"))(
    "to %s is 503 when the session cannot be written",
    async (path) => {
      const { call, cookie, state, stored } = await openGated(framework);
      state.fails = true;
      const answer = await call("GET", path, { cookie });
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, "store-unavailable"]);
      for (const header of ["location", "etag", "last-modified"]) expect(answer.headers[header]).toBeUndefined();
      expect(await stored()).toBe("1");
      if (framework === "Fastify" && path === "/file") await state.closed;
    },
  );

  it("to a client that has gone away does no harm", async () => {
    const { call, cookie, state, clients, stored } = await openGated(framework);
    const gone = signal();
    state.onCommit = async () => {
      await clients[0]?.abort();
      gone.give();
    };
    await expect(call("GET", "/file", { cookie })).rejects.toThrow();
    await gone.given;
    state.onCommit = () => undefined;
    expect((await call("GET", "/whoami", { cookie })).status).toBe(200);
    expect(await stored()).toBe("2");
  });
});
