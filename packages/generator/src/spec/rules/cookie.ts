/**
 * The name of the session's cookie. Browsers give some beginnings of names a meaning, whatever their case: a cookie
 * that claims one and does not keep its promise is dropped without a word.
 */
import { shown } from "../../diagnostics.js";
import type { Rule } from "./rule.js";

const PREFIX = /^__(host|secure|http)-/i;

export const checkCookie: Rule = ({ config, report }) => {
  const name = config.session?.cookie?.name;
  if (name === undefined || !PREFIX.test(name) || /^__Host-./.test(name)) return;
  const hint = "production puts __Host- before the name by itself";
  const expected = "a name without __Secure- or __Http-, and __Host- spelled so and followed by a name";
  report({ code: "bad-name", path: ["session", "cookie", "name"], expected, got: shown(name), hint });
};
