import { Ends } from "../ends.js";
import { serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import { MESSAGES, STAGES } from "../events/scenarios.js";
import { openBareStream } from "./bare-stream.js";

/**
 * The messages of a choreographed saga without the saga: `hop.1` begins the chain; whoever gets `hop.n` performs stage n, publishes
 * `hop.n+1` and, when JetStream has acknowledged it, acknowledges `hop.n`; the message after the last stage ends the chain. It carries what the
 * saga's events carry, the input and the outputs so far. All hops share one consumer, as the stages of ours do.
 */
interface Hop {
  readonly chain: number;
  readonly stage: number;
  readonly outputs: readonly object[];
}

const effects = new Effects(STAGES);

serveEvents(effects, async (place) => {
  const ends = new Ends();
  const publish = (hop: Hop): Promise<void> => stream.publish(`hop.${hop.stage}`, hop);
  const stream = await openBareStream(place, async (message) => {
    const { chain, stage, outputs } = message.json<Hop>();
    if (stage === MESSAGES) {
      message.ack();
      return ends.ended(`${chain}`, null);
    }
    effects.done(chain, stage);
    await publish({ chain, stage: stage + 1, outputs: [...outputs, { stage, ok: true }] });
    message.ack();
  });
  return {
    async act(n) {
      const begin = performance.now();
      await publish({ chain: n, stage: 1, outputs: [] });
      await ends.of(`${n}`);
      return performance.now() - begin;
    },
    close: () => stream.close(),
  };
});
