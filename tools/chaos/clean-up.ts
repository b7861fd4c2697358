/** What was made, each with the way to end it. */
export type CleanUp = (() => Promise<unknown>)[];

/** Ends all that was made, also when a signal stops it before its time: the last made goes first, and one that fails does not keep the others. */
export async function withCleanUp<Result>(
  say: (line: string) => void,
  work: (cleanUp: CleanUp) => Promise<Result>,
): Promise<Result> {
  const cleanUp: CleanUp = [];
  let interrupt: (signal: NodeJS.Signals) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => reject(new Error(`stopped by ${signal}`));
  });
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await Promise.race([work(cleanUp), interrupted]);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    for (const end of cleanUp.reverse()) await end().catch((error: unknown) => say(`cleaning up: ${error}`));
  }
}
