import { open } from "node:fs/promises";
import { RuntimeError } from "../../errors.js";

const READ_BYTES = 65_536;
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

export interface FileLine {
  readonly text: string;
  /** Where the next line begins, in bytes. */
  readonly end: number;
}

/**
 * Lines of a UTF-8 file from the byte `start` on, without their ends; nothing of the file but the lines asked for is read. A record that
 * goes on over lines is one when `isWhole` says so. Errors: `source-invalid` (no UTF-8, a line over 1 MiB), and what the file system throws.
 */
export async function* readLines(
  file: string,
  start: number,
  signal: AbortSignal,
  isWhole: (text: string) => boolean = () => true,
): AsyncGenerator<FileLine> {
  const handle = await open(file, "r");
  try {
    const decode = utf8();
    /** Of a line whose end has not come. */
    let rest = Buffer.alloc(0);
    let begin = start;
    let at = start;
    /** Of `rest`, how far has been looked at. */
    let looked = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, at);
      at += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let index = rest.indexOf(NEWLINE, looked); index >= 0; index = rest.indexOf(NEWLINE, looked)) {
        looked = index + 1;
        const text = textOf(decode, rest.subarray(0, index), file, begin);
        if (!isWhole(text)) continue;
        begin += looked;
        rest = rest.subarray(looked);
        looked = 0;
        yield { text: withoutReturn(text), end: begin };
      }
      if (bytesRead === 0) {
        if (rest.length > 0) yield { text: withoutReturn(textOf(decode, rest, file, begin)), end: begin + rest.length };
        return;
      }
      looked = Math.max(looked, rest.length);
      if (rest.length > MAX_LINE_BYTES)
        throw invalid(file, begin, `expected lines of at most ${MAX_LINE_BYTES} bytes, got a longer one`);
    }
  } finally {
    await handle.close();
  }
}

/** Throws for bytes that are none. */
function utf8(): (bytes: Uint8Array) => string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}

function textOf(decode: (bytes: Uint8Array) => string, bytes: Uint8Array, file: string, begin: number): string {
  try {
    const text = decode(bytes);
    return begin === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
  } catch (cause) {
    throw invalid(file, begin, "expected UTF-8, got bytes that are not", cause);
  }
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

function invalid(file: string, at: number, message: string, cause?: unknown): RuntimeError {
  return new RuntimeError("source-invalid", `${file}, byte ${at}: ${message}`, { file, at }, { cause });
}
