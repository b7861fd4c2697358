import { fileURLToPath } from "node:url";
import ts from "typescript";

const BASE = fileURLToPath(new URL("../../../../tsconfig.base.json", import.meta.url));

/** What the compiler says of these files, under the settings of this repository; what they import is not judged. */
export function compileErrors(roots: readonly string[], folder: string): string[] {
  const { config } = ts.readConfigFile(BASE, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, folder);
  const program = ts.createProgram(roots, { ...options, composite: false, declaration: false, noEmit: true });
  const found = roots.flatMap((root) => {
    const file = program.getSourceFile(root);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  });
  return found.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
  );
}
