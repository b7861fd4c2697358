/** The files: what the lock lists is there, `generated` files are as we wrote them, merge bases are whole. */
import { sha256 } from "../hash.js";
import { BASE_FOLDER } from "../lock.js";
import type { Check } from "./project.js";

export const checkFiles: Check = ({ lock, read, report }) => {
  for (const [path, { owner, sha256: expected }] of Object.entries(lock.files)) {
    const bytes = read(path);
    if (bytes === null) {
      const severity = owner === "once" ? "warning" : "error";
      const hint =
        owner === "once" ? "yours to delete; restore it if that was not meant" : "generate again, or restore it";
      report({ code: "missing-file", severity, path, expected: "a file", got: "none", hint });
    } else if (owner === "generated" && sha256(bytes) !== expected) {
      const hint = "undo it (generate again does), and make the change in clean-arch.yaml or in a file of yours";
      // Only the hash of a generated file is kept: that it was edited can be told, not where.
      report({ code: "edited-file", path, expected: "a generated file as it was written", got: "an edited one", hint });
    }
    if (owner !== "merged") continue;
    const base = `${BASE_FOLDER}/${path}`;
    const kept = read(base);
    if (kept !== null && sha256(kept) === expected) continue;
    const got = kept === null ? "none" : "another";
    report({
      code: "missing-file",
      path: base,
      expected: "the text last written",
      got,
      hint: "restore it from version control",
    });
  }
};
