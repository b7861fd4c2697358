import { type Logger, pino } from "pino";

const SECRETS = ["authorization", "cookie", "token", "password", "operatorToken"];

/** JSON lines on stdout. What may hold a secret is left out at any of the first levels. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    redact: {
      paths: SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*["set-cookie"]`]),
      censor: "[redacted]",
    },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
