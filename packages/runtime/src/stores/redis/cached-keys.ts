import { RecentMap } from "./recent-map.js";
import { decodeRecord, type StoredSession } from "./session-record.js";

/** Put before a read is sent. Whoever changes the key takes it away; then the answer, which may be older, is not kept. */
class Awaited {}

interface KeptRecord {
  readonly text: string;
  readonly stored: StoredSession;
}

/** A read under way: what it will keep, where nothing changed meanwhile. */
export interface KeptRead {
  answered(text: string | null, epoch: string | null): void;
}

/** Characters kept of a session on average; of all together it is the bound. */
const AVERAGE_CHARS = 4_096;

/**
 * What this process knows of keys, for as long as nobody says that they changed: records of sessions, and epochs of subjects.
 * A session is known when its record is, and the epoch by which it lives: the end of all of a subject's sessions is the change
 * of one key. Knows no connection and no time.
 */
export class CachedKeys {
  readonly #records: RecentMap<KeptRecord | Awaited>;
  readonly #epochs: RecentMap<string | Awaited>;

  constructor(maxSessions: number) {
    this.#records = new RecentMap(maxSessions, maxSessions * AVERAGE_CHARS);
    this.#epochs = new RecentMap(maxSessions);
  }

  /** Sessions, and reads of some that are under way. */
  get size(): number {
    return this.#records.size;
  }

  find(recordKey: string, epochKey: string | undefined): StoredSession | undefined {
    const kept = this.#records.get(recordKey);
    if (kept === undefined || kept instanceof Awaited) return undefined;
    const { epoch } = kept.stored;
    return epoch === "-" || (epochKey !== undefined && this.#epochs.get(epochKey) === epoch) ? kept.stored : undefined;
  }

  /** Before the read is sent. Readers of one key await it together, so that one of them fills it. */
  reading(recordKey: string, epochKey: string | undefined): KeptRead {
    const record = awaitKey(this.#records, recordKey);
    const ofEpoch = epochKey === undefined ? undefined : awaitKey(this.#epochs, epochKey);
    return {
      answered: (text, epoch) => {
        const present = this.#records.get(recordKey);
        const stored = text === null ? undefined : decodeRecord(text);
        // Contexts are touched many at a time and read once: they are not kept.
        if (text === null || stored?.kind !== "login") this.#records.delete(recordKey);
        else if (present === record && record instanceof Awaited)
          this.#records.set(recordKey, { text, stored }, text.length);
        // Another answer is kept, older or newer than this one: nobody knows, so it goes.
        else if (present !== undefined && !(present instanceof Awaited) && present.text !== text)
          this.#records.delete(recordKey);
        if (epochKey === undefined) return;
        const known = this.#epochs.get(epochKey);
        if (epoch === null) this.#epochs.delete(epochKey);
        else if (known === ofEpoch && ofEpoch instanceof Awaited) this.#epochs.set(epochKey, epoch);
        else if (typeof known === "string" && known !== epoch) this.#epochs.delete(epochKey);
      },
    };
  }

  /** True when something was known of it, or awaited. */
  drop(key: string): boolean {
    const isRecord = this.#records.delete(key);
    return this.#epochs.delete(key) || isRecord;
  }

  clear(): void {
    this.#records.clear();
    this.#epochs.clear();
  }
}

/** What is there, or that it is awaited from now on. */
function awaitKey<Value>(map: RecentMap<Value | Awaited>, key: string): Value | Awaited {
  const present = map.get(key);
  if (present !== undefined) return present;
  const awaited = new Awaited();
  map.set(key, awaited);
  return awaited;
}
