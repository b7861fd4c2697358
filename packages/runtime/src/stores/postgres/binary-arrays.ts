/**
 * One-dimensional arrays in PostgreSQL's binary format (`array_recv`): a batch of rows travels as one array per column. Built
 * in one pass without escaping, and read by the server without parsing. `null` elements are SQL nulls.
 */
const OIDS = { bool: 16, int8: 20, int4: 23, text: 25, uuid: 2950 } as const;
const HEADER_BYTES = 20;

export function bools(values: readonly (boolean | null)[]): Buffer {
  return fixed(OIDS.bool, 1, values, (buffer, value, offset) => buffer.writeUInt8(value ? 1 : 0, offset));
}

export function int4s(values: readonly (number | null)[]): Buffer {
  return fixed(OIDS.int4, 4, values, (buffer, value, offset) => buffer.writeInt32BE(value, offset));
}

export function int8s(values: readonly (number | null)[]): Buffer {
  return fixed(OIDS.int8, 8, values, writeInt8);
}

/** Texts of the form 01890000-0000-7000-8000-000000000001, see `isUuid`. */
export function uuids(values: readonly (string | null)[]): Buffer {
  return fixed(OIDS.uuid, 16, values, writeUuid);
}

export function texts(values: readonly (string | null)[]): Buffer {
  let bytes = HEADER_BYTES + 4 * values.length;
  const lengths = values.map((value) => {
    const length = value === null ? 0 : Buffer.byteLength(value);
    bytes += length;
    return length;
  });
  const buffer = Buffer.allocUnsafe(bytes);
  let offset = writeHeader(buffer, OIDS.text, values.length);
  for (const [index, value] of values.entries()) {
    const length = lengths[index] ?? 0;
    offset = buffer.writeInt32BE(value === null ? -1 : length, offset);
    if (value !== null) offset += buffer.write(value, offset, length, "utf8");
  }
  return buffer.subarray(0, offset);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function fixed<T>(
  oid: number,
  size: number,
  values: readonly (T | null)[],
  write: (buffer: Buffer, value: T, offset: number) => void,
): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + (4 + size) * values.length);
  let offset = writeHeader(buffer, oid, values.length);
  for (const value of values) {
    offset = buffer.writeInt32BE(value === null ? -1 : size, offset);
    if (value === null) continue;
    write(buffer, value, offset);
    offset += size;
  }
  return buffer.subarray(0, offset);
}

/** Dimensions, "may hold nulls", element type, length and lower bound; an empty array has no dimensions. */
function writeHeader(buffer: Buffer, oid: number, length: number): number {
  buffer.writeInt32BE(length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(1, 4);
  buffer.writeInt32BE(oid, 8);
  if (length === 0) return 12;
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
  return HEADER_BYTES;
}

function writeInt8(buffer: Buffer, value: number, offset: number): void {
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), offset);
  buffer.writeUInt32BE(value >>> 0, offset + 4);
}

function writeUuid(buffer: Buffer, value: string, offset: number): void {
  let at = offset;
  for (let index = 0; index < 36; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) index += 1;
    buffer[at] = (nibble(value.charCodeAt(index)) << 4) | nibble(value.charCodeAt(index + 1));
    at += 1;
  }
}

function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
