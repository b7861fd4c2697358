/** Data as YAML: keys in the order they are given, strings quoted where they need it, no line folding, no aliases. */
import { Document } from "yaml";

export function yamlText(value: unknown, comment: readonly string[] = []): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  const header = comment.map((line) => `# ${line}\n`).join("");
  return header + document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
