import { createHash } from "node:crypto";

/** What the page shows of an OpenAPI document. */
export interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }>
  >;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { background: var(--soft); padding: .6rem; overflow: auto; max-height: 24rem; }
.key { opacity: .75; font-size: .875rem; }
`;

/** Nothing but this one style sheet may run or load. */
export const docsPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function docsPage({ info, paths = {} }: Document): string {
  const groups = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), operationText(method, path, operation)]);
    }
  }
  const sections = [...groups].map(([tag, operations]) => `<h2>${escapeHtml(tag)}</h2>\n${operations.join("\n")}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description ?? "")}</p>
<p><a href="/openapi.json">OpenAPI 3.1 document</a>. Errors are problem details (RFC 9457) with a stable <code>code</code>.</p>
${sections.join("\n")}
</body>
</html>
`;
}

function operationText(method: string, path: string, operation: Operation): string {
  const parts = [
    `<summary><b>${escapeHtml(method.toUpperCase())}</b> <code>${escapeHtml(path)}</code> ${escapeHtml(operation.summary ?? "")}</summary>`,
    operation.security === undefined ? "" : `<p class="key">Needs: ${escapeHtml(keysOf(operation.security))}</p>`,
    block("Parameters", operation.parameters),
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
      block(`Body (${type})`, schema),
    ),
    ...Object.entries(operation.responses ?? {}).map(([status, { content = {} }]) =>
      block(`Answer ${status}`, Object.values(content)[0]?.schema),
    ),
  ];
  return `<details>${parts.filter((part) => part !== "").join("\n")}</details>`;
}

const keysOf = (security: readonly object[]): string => security.flatMap((entry) => Object.keys(entry)).join(" or ");

function block(title: string, value: unknown): string {
  if (value === undefined) return "";
  return `<p>${escapeHtml(title)}</p><pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
