/**
 * Between the bench and a contender's process, over Node's IPC channel: one question, one reply, in turn. A contender is a process of
 * its own so that each runs on the Node it needs, and so that its processor time is its own.
 */
export interface Question {
  readonly kind: string;
}

export type Reply<Answer> =
  | { readonly kind: "done"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly message: string };

/** Answers the bench until it disconnects, or is gone. */
export function serve<Q extends Question, Answer>(perform: (question: Q) => Promise<Answer>): void {
  const reply = (message: Reply<Answer>): void => void process.send?.(message);
  process.on("message", (question: Q) => {
    perform(question).then(
      (answer) => reply({ kind: "done", answer }),
      (error) =>
        reply({ kind: "failed", message: error instanceof Error ? (error.stack ?? error.message) : `${error}` }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
