import type { Json } from "../../json.js";
import type { ItemSource, ReadItems } from "../item-source.js";
import { keyOf } from "./item-key.js";

export interface IteratorSourceOptions {
  /** The field of an item that is its key. Default: its place, from 0 on. */
  readonly key?: string;
  /** A part of the batch's version. Default `iterator`. */
  readonly description?: string;
}

interface Reading<Item> {
  readonly iterator: AsyncIterator<Item> | Iterator<Item>;
  /** Items taken of it. */
  place: number;
}

/**
 * What can only be gone through from its beginning: its items are kept in the store until they are done. When it fails, or another instance
 * reads on, it is begun anew and what was read before is passed over: it gives the same items in the same order each time.
 */
export function iteratorSource<Item extends Json>(
  iterate: (input: Json) => AsyncIterable<Item> | Iterable<Item>,
  { key, description = "iterator" }: IteratorSourceOptions = {},
): ItemSource<Item> {
  /** By who reads: several runs may, at the same time. */
  const readings = new WeakMap<AbortSignal, Reading<Item>>();

  async function readingAt(place: number, { input, signal }: ReadItems): Promise<Reading<Item>> {
    const known = readings.get(signal);
    if (known?.place === place) return known;
    const iterable = iterate(input);
    const iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
    signal.addEventListener("abort", () => void Promise.resolve(iterator.return?.()).catch(() => {}), { once: true });
    const reading = { iterator, place: 0 };
    while (reading.place < place) {
      if ((await iterator.next()).done) throw new Error(`expected item ${place} again, it ended after ${reading.place}`);
      reading.place += 1;
    }
    readings.set(signal, reading);
    return reading;
  }

  return {
    description,
    isKept: true,
    async read(request) {
      const reading = await readingAt(typeof request.after === "number" ? request.after : 0, request);
      const items: { key: string; item: Item }[] = [];
      try {
        while (items.length < request.limit) {
          const { done, value } = await reading.iterator.next();
          if (done) return { items, next: null };
          items.push({ key: keyOf(value, key, String(reading.place)), item: value });
          reading.place += 1;
        }
      } catch (error) {
        // A generator that threw has ended, and would look like one that came to its end.
        readings.delete(request.signal);
        throw error;
      }
      return { items, next: reading.place };
    },
  };
}
