import { serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import { Handlings } from "../events/handlings.js";
import { actOf, type OrderPlaced, orderPlaced } from "../events/order-placed.js";
import { openBareStream } from "./bare-stream.js";

/** An event is published, which JetStream acknowledges, and handled by a consumer: no outbox, no database, and nothing known of ids. */
const effects = new Effects(1);

serveEvents(effects, async (place) => {
  const handlings = new Handlings();
  const stream = await openBareStream(place, (message) => {
    const { id, data } = message.json<OrderPlaced>();
    handlings.begins(id);
    effects.done(actOf(data));
    message.ack();
    handlings.ended(id);
  });
  return {
    async act(n) {
      const event = orderPlaced(n);
      const handled = handlings.of(event.id);
      const publishedFrom = performance.now();
      await stream.publish(event.type, { specversion: "1.0", ...event });
      return (await handled) - publishedFrom;
    },
    close: () => stream.close(),
  };
});
