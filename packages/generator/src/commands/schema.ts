/** `schema`: the JSON Schema of the config file. */
import { publishedSchema } from "../spec/published.js";
import type { Command } from "./command.js";

export const schema: Command = async ({ io }) => {
  io.out(publishedSchema().text);
  return 0;
};
