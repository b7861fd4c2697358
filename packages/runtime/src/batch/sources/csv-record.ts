import { RuntimeError } from "../../errors.js";

/** A record is over where its quotes are closed (RFC 4180): a quoted field may hold line ends. */
export function isWholeRecord(text: string): boolean {
  let quotes = 0;
  for (let index = text.indexOf('"'); index >= 0; index = text.indexOf('"', index + 1)) quotes += 1;
  return quotes % 2 === 0;
}

/** The fields of one record, which may have quotes around them, and two for one within. Error: `source-invalid`. */
export function parseRecord(text: string, where: string): string[] {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    const { field, end } = text[at] === '"' ? quoted(text, at, where) : plain(text, at, where);
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

interface Field {
  readonly field: string;
  /** Where its comma is, or the end of the record. */
  readonly end: number;
}

function plain(text: string, at: number, where: string): Field {
  const comma = text.indexOf(",", at);
  const end = comma < 0 ? text.length : comma;
  const field = text.slice(at, end);
  if (field.includes('"')) throw invalid(where, `expected quotes around a whole field, got ${JSON.stringify(field)}`);
  return { field, end };
}

function quoted(text: string, at: number, where: string): Field {
  let close = text.indexOf('"', at + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) throw invalid(where, "expected a quote at the end of a quoted field, got none");
  const end = close + 1;
  if (end < text.length && text[end] !== ",")
    throw invalid(where, `expected a comma after a quoted field, got ${JSON.stringify(text.slice(end, end + 20))}`);
  return { field: text.slice(at + 1, close).replaceAll('""', '"'), end };
}

function invalid(where: string, message: string): RuntimeError {
  return new RuntimeError("source-invalid", `${where}: ${message}`);
}
