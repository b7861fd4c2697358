#!/usr/bin/env node
// Committed as plain JavaScript so that npm links it before anything is built.
import("../dist/cli.js").then(
  ({ main }) => main(process.argv.slice(2)).then((code) => (process.exitCode = code)),
  (error) => {
    const unbuilt = error?.code === "ERR_MODULE_NOT_FOUND" && String(error.message).includes("dist");
    console.error(unbuilt ? "clean-arch-generator: expected a build in dist/, found none; run `npm run build`" : error);
    process.exitCode = 70;
  },
);
