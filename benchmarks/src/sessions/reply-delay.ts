/**
 * Holds back what it is given for some time, in the order in which it came. Node's timers are no finer than a millisecond and come late;
 * so what is due leaves also whenever something else happens: on a busy line that is near enough at its time.
 */
export class ReplyDelay {
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #held: { readonly dueAt: number; readonly pass: () => void }[] = [];

  set(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  hold(pass: () => void): void {
    if (this.#delayMs === 0 && this.#held.length === 0) return pass();
    this.#held.push({ dueAt: performance.now() + this.#delayMs, pass });
    this.look();
  }

  /** Lets pass what is due. */
  look(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    for (let next = this.#held[0]; next !== undefined && next.dueAt <= now; next = this.#held[0]) {
      this.#held.shift();
      next.pass();
    }
    const next = this.#held[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.look(), next.dueAt - now);
  }
}
