import { RuntimeError } from "../errors.js";
import { checkText } from "../json.js";
import type { ScheduleRegistration } from "./schedule-store.js";

/** Error: `input-invalid` for what no database takes. */
export function checkedRegistration({ name, schedule }: ScheduleRegistration): void {
  checkedTexts({ name });
  if (schedule === null) return;
  const { version, cron, timezone, fingerprint, catchUp } = schedule;
  checkedTexts({ version, cron, timezone, fingerprint });
  if (Number.isSafeInteger(catchUp) && catchUp >= 0) return;
  throw new RuntimeError("input-invalid", `expected catchUp of a schedule to be a whole number from 0, got ${catchUp}`);
}

/** Error: `input-invalid` for an empty one, or one that no database takes. */
export function checkedTexts(texts: Readonly<Record<string, string>>): void {
  for (const [key, text] of Object.entries(texts)) {
    if (typeof text !== "string" || text === "")
      throw new RuntimeError("input-invalid", `expected ${key} of a schedule to be text, got ${JSON.stringify(text)}`);
    checkText(text, `${key} of a schedule`);
  }
}
