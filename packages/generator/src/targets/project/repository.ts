/** What git reads. */
import type { TargetFile } from "../target-file.js";

export const repositoryFiles = (): TargetFile[] => [
  {
    path: ".gitignore",
    owner: "merged",
    content: "node_modules/\ndist/\ncoverage/\ndata/\n*.tsbuildinfo\nconfigs/.env\n.clean-arch/pending*/\n",
  },
  {
    // Line endings are part of what `verify` compares.
    path: ".gitattributes",
    owner: "merged",
    content: "* text=auto eol=lf\n*.tgz binary\n*.generated.ts linguist-generated=true\n",
  },
];
