/** Data as YAML: keys in the order they are given, strings quoted where any reader needs it, no line folding, no aliases. */
import { Document } from "yaml";

export function yamlText(value: unknown, comment: readonly string[] = []): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  const header = comment.map((line) => `# ${line}\n`).join("");
  return header + document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
