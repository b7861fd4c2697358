import type { EventMessage } from "../../broker/event-message.js";

/** On the client, so that it is found through whatever guard a callback was given around it. */
const PUT = Symbol("events put in the transaction");

interface PuttingClient {
  [PUT]?: EventMessage[] | undefined;
}

/** From here on what is put by the client is kept here, until `forget`: by who commits its transaction, and tells of them then. */
export function keepPuts(client: object): { readonly put: readonly EventMessage[]; forget(): void } {
  const put: EventMessage[] = [];
  const putting: PuttingClient = client;
  putting[PUT] = put;
  return {
    put,
    forget: () => {
      putting[PUT] = undefined;
    },
  };
}

/** False: the transaction is somebody else's, and nobody sees its end. */
export function notePut(client: unknown, events: readonly EventMessage[]): boolean {
  const put = (client as PuttingClient)[PUT];
  put?.push(...events);
  return put !== undefined;
}
