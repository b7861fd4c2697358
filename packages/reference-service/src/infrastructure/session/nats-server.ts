import type { NatsBrokerOptions } from "@clean-arch/runtime/nats";

/** A url of a NATS server as the driver's options: whoever it names stays out of messages and logs. */
export function natsServer(url: string): Pick<NatsBrokerOptions, "servers" | "user" | "password" | "tls"> {
  const { protocol, host, username, password } = new URL(url);
  return {
    servers: host,
    ...(username !== "" && { user: decodeURIComponent(username), password: decodeURIComponent(password) }),
    ...(protocol === "tls:" && { tls: {} }),
  };
}
