/** What git reads, and the folder of migrations, which is there before the first of them. */
import type { TargetFile } from "../target-file.js";

const MIGRATIONS = `# Migrations

Plain SQL, one folder for each database: \`sqlite/\` for the embedded file, \`postgres/\` for a server.

\`NNNN_name.up.sql\` makes a change, \`NNNN_name.down.sql\` takes it back. They run in the order of their numbers, each once.
One that has been applied stays as it is: what comes after it, an entity's new field for one, is the next migration.

\`make migrate-up\` applies what is pending and \`make migrate-down\` takes the last one back, in the configured database.
Outside production the service applies pending ones when it starts. Of instances that start together one does, the others
wait for it. Each runs in one transaction, so what PostgreSQL refuses there (CREATE INDEX CONCURRENTLY) is done by hand.
`;

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
  { path: "migrations/README.md", owner: "merged", content: MIGRATIONS },
];
