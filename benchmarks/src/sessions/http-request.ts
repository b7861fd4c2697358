import type { HttpAnswer } from "./http-connection.js";

/** The bytes of a request as a browser of the same site would send it, with a cookie where there is one. */
export function httpRequest(method: "GET" | "POST", path: string, cookie: string): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    "user-agent: bench",
    "accept: application/json",
    "sec-fetch-site: same-origin",
    ...(method === "POST" ? ["content-length: 0"] : []),
    ...(cookie === "" ? [] : [`cookie: ${cookie}`]),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** The value of a `cookie` header that sends back what an answer sets. */
export function cookieOf({ head }: HttpAnswer): string {
  return [...head.matchAll(/\r\nset-cookie: ([^;\r]+)/gi)].map((match) => match[1] ?? "").join("; ");
}
