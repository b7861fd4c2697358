import type { Broker } from "@clean-arch/runtime";

/** The same broker, which also tells when an event is done with: after the commit of its effect, and before it is acknowledged. */
export function tellingBroker(broker: Broker, handled: (event: string) => void): Broker {
  return {
    name: broker.name,
    open: () => broker.open(),
    close: () => broker.close(),
    ping: () => broker.ping(),
    publish: (messages) => broker.publish(messages),
    holds: (receipt) => broker.holds(receipt),
    subscribe: (subscription) =>
      broker.subscribe({
        ...subscription,
        handle: async (delivery) => {
          await subscription.handle(delivery);
          handled(delivery.message.id);
        },
      }),
  };
}
