import { RuntimeError } from "../../errors.js";

/** First words of the server's errors (redis.io/docs, protocol) that a later try may not meet again. */
const UNAVAILABLE =
  /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|MISCONF|NOREPLICAS|UNKILLABLE|UNBLOCKED)\b/;
/** This user may not do it, or this server cannot. */
const INCOMPATIBLE = /^(NOAUTH|WRONGPASS|NOPERM|NOPROTO|CROSSSLOT)\b|unknown command/i;

/**
 * What the driver threw, as the runtime's error: `store-unavailable` when the server does not answer or says that it cannot
 * now, `overloaded` when its memory is full, `store-incompatible` when it is not for this user or not the right server.
 */
export function fromDriver(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const isReply = error instanceof Error && error.name === "ReplyError";
  if (isReply && /^OOM\b/.test(text)) {
    const message = `expected Redis to have room for the session, got: ${text}; raise maxmemory or shorten session.context.ttl`;
    return new RuntimeError("overloaded", message, {}, { cause: error });
  }
  if (isReply && INCOMPATIBLE.test(text)) {
    const message = `expected a Redis of version 7.0 or newer and a user who may read, write and run scripts, got: ${text}`;
    return new RuntimeError("store-incompatible", message, {}, { cause: error });
  }
  // What is not a reply comes from the connection: refused, reset, timed out.
  if (!isReply || UNAVAILABLE.test(text)) {
    const message = `expected Redis to answer, got: ${text}; check that it runs and is reachable`;
    return new RuntimeError("store-unavailable", message, {}, { cause: error });
  }
  return new RuntimeError("internal", `a script on Redis failed: ${text}`, {}, { cause: error });
}

export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
