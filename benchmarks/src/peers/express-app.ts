import express, { type Express, type Response } from "express";
import { JSON_TYPE } from "../sessions/routes.js";

/**
 * Express 4, which is faster than 5 (its own part of a request took a third less time here), without what costs time and is not asked
 * for: the hash for an ETag, the header with its name, the parsing of queries.
 */
export function expressApp(): Express {
  const app = express();
  app.disable("etag");
  app.disable("x-powered-by");
  app.set("query parser", false);
  return app;
}

/**
 * Past `res.send`, which would look at the text and at the request once more. The length has to be said: express-session takes the
 * answer apart and would else send it in chunks.
 */
export function answer(response: Response, text: string): void {
  response.setHeader("content-type", JSON_TYPE);
  response.setHeader("content-length", Buffer.byteLength(text));
  response.end(text);
}
