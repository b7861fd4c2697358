import { RuntimeError } from "../../errors.js";
import { isObject, type Json } from "../../json.js";
import type { ItemSource, ReadItems } from "../item-source.js";
import { isWholeRecord, parseRecord } from "./csv-record.js";
import { type FileLine, readLines } from "./file-lines.js";
import { keyOf } from "./item-key.js";

/** Behind a line or a record: the byte where the next one begins, and the number of those before. */
interface Place {
  readonly byte: number;
  readonly n: number;
}

const BEGINNING: Place = { byte: 0, n: 0 };

/** Lines of a UTF-8 file; empty ones are no items. Places are bytes: a chunk is read again without what is before it. */
export function linesSource(file: string): ItemSource<string> {
  return {
    description: "file lines",
    read: (request) =>
      readFile(request, readLines(file, placeOf(request.after).byte, request.signal), ({ text }, n) =>
        text === "" ? null : { key: String(n), item: text },
      ),
  };
}

/** Records of a CSV file (RFC 4180, UTF-8, with a header), as objects by its columns. `key`: the column that is an item's key. */
export function csvSource(file: string, key?: string): ItemSource<Record<string, string>> {
  return {
    description: "file csv",
    async read(request) {
      const header = await headerOf(file, request.signal);
      const after = request.after === null ? { byte: header.end, n: 0 } : placeOf(request.after);
      const lines = readLines(file, after.byte, request.signal, isWholeRecord);
      return readFile({ ...request, after: { ...after } }, lines, ({ text }, n) => {
        if (text === "") return null;
        const fields = parseRecord(text, `${file}, record ${n}`);
        if (fields.length !== header.columns.length) {
          const message = `expected ${header.columns.length} fields, as in the header, got ${fields.length}`;
          throw new RuntimeError("source-invalid", `${file}, record ${n}: ${message}`);
        }
        const item = Object.fromEntries(header.columns.map((column, index) => [column, fields[index] ?? ""]));
        return { key: keyOf(item, key, String(n)), item };
      });
    },
  };
}

async function headerOf(file: string, signal: AbortSignal) {
  for await (const { text, end } of readLines(file, 0, signal, isWholeRecord)) {
    return { columns: parseRecord(text, `${file}, header`), end };
  }
  throw new RuntimeError("source-invalid", `${file}: expected a header in its first line, got an empty file`);
}

async function readFile<Item>(
  { after, until, limit }: ReadItems,
  lines: AsyncIterable<FileLine>,
  itemOf: (line: FileLine, n: number) => { readonly key: string; readonly item: Item } | null,
) {
  const end = until === null ? null : placeOf(until);
  const items: { readonly key: string; readonly item: Item }[] = [];
  let place = placeOf(after);
  for await (const line of lines) {
    // One more than was wanted: so that the last page is known for what it is.
    if (end === null && items.length >= limit) return { items, next: { ...place } };
    place = { byte: line.end, n: place.n + 1 };
    const item = itemOf(line, place.n);
    if (item !== null) items.push(item);
    if (end !== null && place.byte >= end.byte) break;
  }
  return { items, next: null, last: { ...place } };
}

function placeOf(place: Json): Place {
  if (place === null) return BEGINNING;
  const { byte, n } = isObject(place) ? place : {};
  if (typeof byte === "number" && typeof n === "number") return { byte, n };
  throw new RuntimeError("source-invalid", `expected a place in the file, got ${JSON.stringify(place).slice(0, 60)}`);
}
