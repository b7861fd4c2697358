/** `verify DIR`: is the project as its lock, its config and its layers say? Offline, without its node_modules. */
import { resolve } from "node:path";

import { hasErrors, refusal, strict } from "../diagnostics.js";
import { verifyProject } from "../verify/index.js";
import { recoverProject } from "../write.js";
import { type Command, printDiagnostics } from "./command.js";

export const verify: Command = async (invocation) => {
  const { flags, io, positionals } = invocation;
  const shownAs = positionals[0] ?? ".";
  if (positionals.length > 1) throw refusal("bad-flag", "clean-arch-generator", "`verify DIR`", "several folders");
  recoverProject(resolve(shownAs), shownAs);
  const { diagnostics, files } = await verifyProject(resolve(shownAs), shownAs);
  const findings = flags.strict ? strict(diagnostics) : diagnostics;
  printDiagnostics(invocation, findings);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  if (flags.json) io.out(`${JSON.stringify({ folder: shownAs, files, findings: findings.length, errors })}\n`);
  else if (findings.length === 0) io.out(`${shownAs}: ${files} files, everything as it should be\n`);
  else io.out(`${shownAs}: ${files} files, ${findings.length} finding${findings.length === 1 ? "" : "s"}\n`);
  return hasErrors(findings) ? 1 : 0;
};
