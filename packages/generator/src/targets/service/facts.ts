/** What the service is and which services it calls, as data that its configuration reads. */
import type { Model } from "../../model.js";
import { code, HEADER, json, print, type Source } from "../entity/source.js";

export function factsFile({ project, database, services }: Model): string {
  const facts: Source = {
    open: true,
    entries: [
      ["name", json(project.name.kebab)],
      ["version", json(project.version)],
      ["description", json(project.description)],
      ["databaseFile", json(database.file)],
    ],
  };
  const rows = services.map(
    ({ name, transport }) =>
      ({
        entries: [
          ["name", json(name.raw)],
          ["transport", code(JSON.stringify(transport))],
        ],
      }) as const,
  );
  const list = rows.map((row) => `  ${print(row, "", ",", 2)}\n`).join("");
  return `${HEADER}
/** What this service is, as its config says. */
${print(facts, "export const PROJECT = ", " as const;")}

export interface Service {
  readonly name: string;
  readonly transport: "http" | "nats" | "local" | "simulated";
}

/** The services that this service's stages call, and how each is reached unless configs/app.yaml says otherwise. */
export const SERVICES: readonly Service[] = [${list === "" ? "" : `\n${list}`}];
`;
}
