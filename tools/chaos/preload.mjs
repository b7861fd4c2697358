// Loaded into each instance before its own code, which knows nothing of it. On a message of the harness it makes the event
// loop busy, or moves this process's wall clock where no libfaketime does; and it ends the process when the harness is gone.
const RealDate = Date;
let skewMs = Number(process.env.CHAOS_SKEW_MS ?? 0);

if (process.env.CHAOS_SKEW_MS !== undefined) {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [target.now() + skewMs] : args,
        newTarget === Date ? target : newTarget,
      ),
    apply: (target) => new target(target.now() + skewMs).toString(),
    get: (target, name, receiver) =>
      name === "now" ? () => target.now() + skewMs : Reflect.get(target, name, receiver === Date ? target : receiver),
  });
}

process.on("message", (message) => {
  if (typeof message?.skewMs === "number") skewMs = message.skewMs;
  if (typeof message?.stallMs === "number") {
    const until = performance.now() + message.stallMs;
    while (performance.now() < until);
  }
});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.channel?.unref();
