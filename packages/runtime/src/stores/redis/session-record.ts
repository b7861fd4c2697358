import { RuntimeError } from "../../errors.js";
import { decodeData, type EncodedField } from "../../store/session-data.js";
import { deadline } from "../../store/session-deadlines.js";
import type { Device, NewSession, NewSignIn, SessionKind, SessionRecord, SignIn } from "../../store/session-store.js";
import { FieldScan } from "./field-scan.js";

/**
 * A session as one text (lua/redis/record.lua has its shape and changes it): a header of fields without spaces, the device, data.
 * One text is read by a plain GET and parsed at once; fields of a hash would cost a third of the speed.
 */
export interface StoredSession {
  readonly kind: SessionKind;
  readonly tokenHash: string;
  /** `-` without a subject. */
  readonly epoch: string;
  readonly touchedAt: number;
  readonly idleMs: number;
  /** The nearer of both deadlines. */
  readonly expiresAt: number;
  /** Decodes the rest; each time anew, so that nobody shares what comes out. */
  record(id: string): SessionRecord;
}

const NONE = "-";
/** The header's first field. */
const VERSION = "1 ";

export function decodeRecord(text: string): StoredSession {
  if (!text.startsWith(VERSION)) throw unknownRecord(text);
  // In the order of the header (record.lua).
  const header = new FieldScan(text, VERSION.length);
  const kind = kindOf(header.text());
  const revision = header.number();
  const createdAt = header.number();
  const touchedAt = header.number();
  const idleMs = header.number();
  const absoluteExpiresAt = header.optionalNumber();
  const rotatedAt = header.number();
  const epoch = header.text();
  const tokenHash = header.text();
  const expiresAt = deadline(touchedAt, idleMs, absoluteExpiresAt);
  const formerTokensAt = header.at;
  return {
    kind,
    tokenHash,
    epoch,
    touchedAt,
    idleMs,
    expiresAt,
    record(id) {
      const rest = new FieldScan(text, formerTokensAt);
      rest.skip(4);
      const signIn = decodeSignIn(rest.optionalNumber(), rest.text());
      const owner = decodeText(rest.text());
      const subject = decodeText(rest.text());
      const deviceAt = text.indexOf("\n", rest.at) + 1;
      const dataAt = text.indexOf("\n", deviceAt) + 1;
      // Named one by one: objects spread into this one take longer than all the rest.
      return {
        id,
        kind,
        subject,
        data: decodeData(text.slice(dataAt)),
        revision,
        createdAt,
        touchedAt,
        idleMs,
        expiresAt,
        absoluteExpiresAt,
        rotatedAt,
        signIn,
        device: decodeDevice(text.slice(deviceAt, dataAt - 1)),
        owner,
      };
    },
  };
}

function decodeSignIn(at: number | null, proof: string): SignIn | null {
  if (at === null) return null;
  const [level, ...methods] = proof.split(",");
  return { level: Number(level), methods: methods.map(unescaped), at };
}

/** A list: an object's names would be read with every load. */
type DeviceList = readonly [ip: string | null, userAgent: string | null, label: string | null];

function decodeDevice(text: string): Device | null {
  if (text === "null") return null;
  const [ip, userAgent, label] = JSON.parse(text) as DeviceList;
  const device: { -readonly [Key in keyof Device]: Device[Key] } = {};
  if (ip !== null) device.ip = ip;
  if (userAgent !== null) device.userAgent = userAgent;
  if (label !== null) device.label = label;
  return device;
}

function unknownRecord(text: string): RuntimeError {
  const got = JSON.stringify(text.slice(0, 8));
  const message = `expected a session's record of version ${VERSION.trim()}, got one that begins with ${got}; another version of this library, or something else, writes to the same session.context.prefix`;
  return new RuntimeError("store-incompatible", message);
}

/** The arguments of create.lua from the kind on. */
export function encodeNew(session: NewSession, fields: readonly EncodedField[], epoch: string): string[] {
  const { kind, idleMs, absoluteMs, tokenHash, signIn, owner, subject, limit } = session;
  return [
    kind === "context" ? "c" : "l",
    String(idleMs),
    absoluteMs === null ? NONE : String(absoluteMs),
    ...[tokenHash ?? NONE, epoch, encodeSignInTime(signIn), encodeProof(signIn)],
    ...[encodeText(kind === "context" ? owner : null), encodeText(subject)],
    fields.map(([key, value]) => `${byteLength(key)}:${byteLength(key) + 1 + byteLength(value)}`).join(",") || NONE,
    encodeDevice(session.device),
    `{${fields.map(([key, value]) => `${key}:${value}`).join(",")}}`,
    ...(limit === undefined ? [NONE, NONE] : [String(limit.max), limit.policy]),
  ];
}

export function encodeSignInTime(signIn: NewSignIn | null | undefined): string {
  return signIn ? String(signIn.at ?? "now") : NONE;
}

/** What a sign-in says apart from its time, which is the store's: `<level>,<method>,...`. */
export function encodeProof(signIn: NewSignIn | null | undefined): string {
  return signIn ? [signIn.level, ...(signIn.methods ?? []).map(encodeURIComponent)].join(",") : NONE;
}

function encodeDevice(device: Device | null | undefined): string {
  const list = (of: Device): DeviceList => [of.ip ?? null, of.userAgent ?? null, of.label ?? null];
  return JSON.stringify(device ? list(device) : null);
}

export function encodeText(text: string | null | undefined): string {
  return typeof text === "string" ? `=${encodeURIComponent(text)}` : NONE;
}

export function decodeText(field: string): string | null {
  if (field === NONE) return null;
  return unescaped(field.slice(1));
}

/** Most have nothing to decode, and asking takes less time than decoding that. */
function unescaped(text: string): string {
  return text.includes("%") ? decodeURIComponent(text) : text;
}

export function kindOf(letter: string): SessionKind {
  return letter.startsWith("c") ? "context" : "login";
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
