import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Authenticator, MsgHdrs, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { RuntimeError } from "../../errors.js";
import type { NatsSettings } from "./broker-options.js";
import { loadJetStream, loadTransport } from "./driver.js";
import { fromDriver } from "./driver-error.js";
import { reconnectPace } from "./reconnect-pace.js";

type Transport = Awaited<ReturnType<typeof loadTransport>>;

export interface ConnectionWatcher {
  /** The connection is gone. */
  lost(): void;
  /** There is a new one, and subscriptions were made anew on it. */
  back(): void;
}

/**
 * One connection, made again without end. The driver would keep what is sent while there is none in memory, without a bound, and send it
 * later: so nothing is sent then. What was under way when the connection broke is told at once instead of after its deadline.
 */
export class Connection {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly js: JetStreamClient;
  readonly newHeaders: () => MsgHdrs;
  readonly newInbox: () => string;
  readonly #pending = new Set<(reason: Error) => void>();
  readonly #watchers = new Set<ConnectionWatcher>();
  #isUp = true;
  #isClosed = false;
  /** Counts connections, so that what came on an earlier one is known. */
  generation = 1;

  private constructor(
    nc: NatsConnection,
    jsm: JetStreamManager,
    { transport, settings }: { readonly transport: Transport; readonly settings: NatsSettings },
  ) {
    this.nc = nc;
    this.jsm = jsm;
    this.newHeaders = () => transport.headers();
    this.newInbox = () => transport.createInbox();
    this.js = jsm.jetstream();
    void this.#follow(settings);
  }

  static async open(settings: NatsSettings): Promise<Connection> {
    const [transport, jetstream] = await Promise.all([loadTransport(), loadJetStream()]);
    let nc: NatsConnection | undefined;
    try {
      nc = await transport.connect(connectOptions(settings, transport));
      const jsm = await jetstream.jetstreamManager(nc, { checkAPI: false, timeout: settings.callTimeoutMs });
      return new Connection(nc, jsm, { transport, settings });
    } catch (error) {
      await nc?.close();
      throw fromDriver(error);
    }
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Rejects with a `RuntimeError`: at once while there is no connection, and as soon as it breaks. */
  async call<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await this.whileUp(ask);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  /** The same with the driver's own errors. */
  whileUp<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.#isUp) return void reject(lostConnection());
      this.#pending.add(reject);
      const done = (): void => void this.#pending.delete(reject);
      ask().then(resolve, reject).finally(done);
    });
  }

  watch(watcher: ConnectionWatcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lose();
    await this.nc.close();
  }

  async #follow({ logger }: NatsSettings): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === "disconnect") {
        if (!this.#isClosed) logger.warn({}, "the connection to NATS is lost; it is made again");
        this.#lose();
      }
      if (status.type === "reconnect" && !this.#isClosed) {
        logger.info({}, "connected to NATS again");
        this.#isUp = true;
        this.generation += 1;
        for (const watcher of [...this.#watchers]) watcher.back();
      }
      if (status.type === "error") logger.error({ error: status.error.message }, "NATS reports an error");
    }
    this.#lose();
  }

  #lose(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    const lost = lostConnection();
    for (const reject of this.#pending) reject(lost);
    this.#pending.clear();
    for (const watcher of [...this.#watchers]) watcher.lost();
  }
}

function connectOptions(settings: NatsSettings, transport: Transport): NodeConnectionOptions {
  const { servers, user, password, token, nkeySeed, credentials, tls, name, callTimeoutMs } = settings;
  const encoder = new TextEncoder();
  const authenticator: Authenticator[] = [];
  if (nkeySeed !== undefined) authenticator.push(transport.nkeyAuthenticator(encoder.encode(nkeySeed)));
  if (credentials !== undefined) authenticator.push(transport.credsAuthenticator(encoder.encode(credentials)));
  return {
    ...{ servers: [...servers], name, timeout: callTimeoutMs, pingInterval: settings.pingIntervalMs, maxPingOut: 2 },
    ...{ maxReconnectAttempts: -1, ...reconnectPace(settings) },
    // A user that is refused now may be let in again when the server has its settings back.
    ...{ ignoreAuthErrorAbort: true, noAsyncTraces: true },
    ...(authenticator.length > 0 && { authenticator }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  };
}

function lostConnection(): RuntimeError {
  const message = "expected a connection to NATS, there is none; it is made again by itself, try again later";
  return new RuntimeError("broker-unavailable", message);
}
