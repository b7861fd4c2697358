/**
 * Thrown by a handler of events to say that trying again cannot help: the event is parked at once, with this code. Any other throw counts
 * as a fault, and the event comes again.
 */
export class EventRefusal extends Error {
  override readonly name = "EventRefusal";
  /** Short and stable, for programs; default `refused`. */
  readonly code: string;

  constructor(message: string, code = "refused") {
    super(message);
    this.code = code;
  }
}
