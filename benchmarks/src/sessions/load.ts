import type { HttpAnswer, HttpConnection } from "./http-connection.js";

/** A request and what its answer has to be. */
export interface Exchange {
  readonly request: Buffer;
  readonly body: string;
  /** Sees the answer once it was found right. */
  readonly answered?: (answer: HttpAnswer) => void;
}

export interface LoadResult {
  readonly requests: number;
  /** From the first request to the last answer. */
  readonly wallMs: number;
  /** One per request, unsorted. */
  readonly latenciesMs: readonly number[];
  /** Processor time of this process. */
  readonly cpuMs: number;
  /** The share of the time in which this process was not waiting: near 1 it measured itself. */
  readonly busy: number;
}

/**
 * A closed loop: on each connection the next request leaves when the answer to the one before is there, until `next` gives null. All
 * answers count, with the time that the last ones take. Rejects with the first answer that is not what it has to be.
 */
export async function load(connections: readonly HttpConnection[], next: () => Exchange | null): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const begin = performance.now();
  let failed = false;
  const lane = (connection: HttpConnection): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        failed = true;
        reject(error);
      };
      const step = (): void => {
        const exchange = failed ? null : next();
        if (exchange === null) return resolve();
        const start = performance.now();
        const take = (answer: HttpAnswer): void => {
          latenciesMs.push(performance.now() - start);
          if (answer.status !== 200 || answer.body !== exchange.body) return fail(wrong(exchange, answer));
          exchange.answered?.(answer);
          step();
        };
        connection.send(exchange.request, take, fail);
      };
      step();
    });
  await Promise.all(connections.map(lane));
  const wallMs = performance.now() - begin;
  const cpu = process.cpuUsage(cpuBefore);
  const { utilization } = performance.eventLoopUtilization(loopBefore);
  return {
    ...{ requests: latenciesMs.length, wallMs, latenciesMs },
    ...{ cpuMs: (cpu.user + cpu.system) / 1_000, busy: utilization },
  };
}

function wrong({ request, body }: Exchange, answer: HttpAnswer): Error {
  const line = request.toString("latin1", 0, request.indexOf("\r\n"));
  return new Error(`${line}: expected 200 and ${body}, got ${answer.head.split("\r\n")[0]} and ${answer.body}`);
}
