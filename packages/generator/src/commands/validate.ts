/** `validate FILE`: says everything that is wrong with a config, and writes nothing. */
import { refusal } from "../diagnostics.js";
import { type Command, printDiagnostics, readConfigFile } from "./command.js";

export const validate: Command = async (invocation) => {
  const { flags, io, positionals } = invocation;
  const file = positionals[0] ?? flags.config;
  if (file === undefined) throw refusal("bad-flag", "clean-arch-generator", "`validate FILE`", "no file");
  const { warnings } = readConfigFile(file, flags);
  printDiagnostics(invocation, warnings);
  const count = warnings.length === 0 ? "" : ` (${warnings.length} warning${warnings.length === 1 ? "" : "s"})`;
  io.out(
    flags.json ? `${JSON.stringify({ file, valid: true, warnings: warnings.length })}\n` : `${file}: valid${count}\n`,
  );
  return 0;
};
