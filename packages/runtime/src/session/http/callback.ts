/** How the middlewares of others are answered. */
export type Callback<T = void> = (error?: unknown, value?: T) => void;

/** Calls back once, outside of the promise: what a callback throws is the caller's, and no second answer. */
export function answer<T>(callback: Callback<T> | undefined, work: () => Promise<T>): void {
  work().then(
    (value) => callback && process.nextTick(callback, null, value),
    (error: unknown) => callback && process.nextTick(callback, error),
  );
}
