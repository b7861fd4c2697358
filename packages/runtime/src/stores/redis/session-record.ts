import { decodeData, type EncodedField } from "../../store/session-data.js";
import { deadline } from "../../store/session-deadlines.js";
import type { Device, NewSession, NewSignIn, SessionKind, SessionRecord, SignIn } from "../../store/session-store.js";

/**
 * A session as one text (lua/redis/record.lua has its shape and changes it): a header of fields without spaces, facts, data.
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
// In the order of the header; record.lua counts them from 1.
const [KIND, REVISION, CREATED, TOUCHED, IDLE, ABSOLUTE, ROTATED, EPOCH, TOKEN] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const [SIGNED_IN, OWNER, SUBJECT] = [14, 15, 16];

interface Facts {
  readonly signIn: Omit<SignIn, "at"> | null;
  readonly device: Device | null;
}

export function decodeRecord(text: string): StoredSession {
  const headerEnd = text.indexOf("\n");
  const header = text.slice(0, headerEnd).split(" ");
  const touchedAt = Number(header[TOUCHED]);
  const idleMs = Number(header[IDLE]);
  const kind = kindOf(header[KIND] as string);
  const absoluteExpiresAt = header[ABSOLUTE] === NONE ? null : Number(header[ABSOLUTE]);
  const expiresAt = deadline(touchedAt, idleMs, absoluteExpiresAt);
  return {
    kind,
    tokenHash: header[TOKEN] as string,
    epoch: header[EPOCH] as string,
    ...{ touchedAt, idleMs, expiresAt },
    record(id) {
      const factsEnd = text.indexOf("\n", headerEnd + 1);
      const factsText = text.slice(headerEnd + 1, factsEnd);
      const facts: Facts = factsText === NO_FACTS_TEXT ? NO_FACTS : (JSON.parse(factsText) as Facts);
      return {
        id,
        kind,
        subject: decodeText(header[SUBJECT] as string),
        data: decodeData(text.slice(factsEnd + 1)),
        revision: Number(header[REVISION]),
        createdAt: Number(header[CREATED]),
        touchedAt,
        idleMs,
        expiresAt,
        absoluteExpiresAt,
        rotatedAt: Number(header[ROTATED]),
        signIn: facts.signIn && { ...facts.signIn, at: Number(header[SIGNED_IN]) },
        device: facts.device,
        owner: decodeText(header[OWNER] as string),
      };
    },
  };
}

const NO_FACTS: Facts = { signIn: null, device: null };
const NO_FACTS_TEXT = JSON.stringify(NO_FACTS);

/** The arguments of create.lua from the kind on. */
export function encodeNew(session: NewSession, fields: readonly EncodedField[], epoch: string): string[] {
  const { kind, idleMs, absoluteMs, tokenHash, signIn, owner, subject, limit } = session;
  return [
    kind === "context" ? "c" : "l",
    String(idleMs),
    absoluteMs === null ? NONE : String(absoluteMs),
    ...[tokenHash ?? NONE, epoch, encodeSignInTime(signIn), encodeText(kind === "context" ? owner : null)],
    encodeText(subject),
    fields.map(([key, value]) => `${byteLength(key)}:${byteLength(key) + 1 + byteLength(value)}`).join(",") || NONE,
    encodeFacts(signIn, session.device),
    `{${fields.map(([key, value]) => `${key}:${value}`).join(",")}}`,
    ...(limit === undefined ? [NONE, NONE] : [String(limit.max), limit.policy]),
  ];
}

export function encodeSignInTime(signIn: NewSignIn | null | undefined): string {
  return signIn ? String(signIn.at ?? "now") : NONE;
}

/** What a sign-in and a device say, apart from the time, which is the store's. */
export function encodeFacts(signIn: NewSignIn | null | undefined, device: Device | null | undefined): string {
  const facts: Facts = {
    signIn: signIn ? { level: signIn.level, methods: signIn.methods ?? [] } : null,
    device: device ?? null,
  };
  return JSON.stringify(facts);
}

export function encodeText(text: string | null | undefined): string {
  return typeof text === "string" ? `=${encodeURIComponent(text)}` : NONE;
}

export function decodeText(field: string): string | null {
  return field === NONE ? null : decodeURIComponent(field.slice(1));
}

export function kindOf(letter: string): SessionKind {
  return letter.startsWith("c") ? "context" : "login";
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
