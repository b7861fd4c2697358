import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Where the program is: in one of these folders, else on the path; null when it is in neither. */
export function findBinary(name: string, folders: readonly string[] = []): string | null {
  for (const folder of [...folders, ...(process.env.PATH ?? "").split(":")]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  return null;
}
