/** Events: what is published is a change of an entity, what is handled has a subject that a broker takes and one source. */
import { shown } from "../../diagnostics.js";
import { namesOf, nearestName } from "../../naming.js";
import { checkNames, type LooseConfig, present, type Rule, type RuleInput } from "./rule.js";

/** What can happen to an entity, as the last word of an event's type. */
export const CHANGES = ["created", "updated", "deleted"] as const;

const WORD = "(?:[A-Za-z0-9_-]+|\\*)";
/** As brokers take it: `*` is one word, `>` one or more at the end. */
const SUBJECT = new RegExp(`^(?:${WORD}(?:\\.${WORD})*(?:\\.>)?|>)$`);

export const checkEvents: Rule = (input) => {
  checkPublished(input);
  checkConsumed(input);
};

function checkPublished({ config, report }: RuleInput): void {
  const entities = namesOfEntities(config);
  const known = entities.flatMap((entity) => CHANGES.map((change) => `${entity}.${change}`));
  const isComplete = entities.length === present(config.domain?.entities).length;
  for (const { item: type, i } of present(config.events?.publish)) {
    const path = ["events", "publish", i];
    if (!known.includes(type)) {
      // An entity whose name is wrong, and that has been said.
      if (!isComplete) continue;
      const nearest = nearestName(type, known);
      const otherwise = entities.length === 0 ? "declare the entity in domain.entities" : null;
      const hint = nearest === null ? otherwise : `did you mean ${nearest}`;
      const whose = entities.length === 0 ? "this config declares none" : `of ${entities.join(", ")}`;
      report({
        code: "wrong-value",
        path,
        expected: `a change of an entity, <entity>.created, .updated or .deleted; ${whose}`,
        got: shown(type),
        ...(hint === null ? {} : { hint }),
      });
      continue;
    }
    checkUntold(type, path, config, report);
    checkSagas(type, path, config, report);
  }
}

const namesOfEntities = (config: LooseConfig): string[] =>
  present(config.domain?.entities).flatMap(({ item: { name } }) => (name === undefined ? [] : [namesOf(name).snake]));

/** The database deletes by itself what refers to a deleted row by a cascade, and tells nobody. */
function checkUntold(type: string, path: (string | number)[], config: LooseConfig, report: RuleInput["report"]): void {
  const [name, change] = type.split(".");
  const entity = present(config.domain?.entities).find(({ item }) => namesOf(item.name ?? "").snake === name);
  const cascade = present(entity?.item.fields).find(({ item }) => item.on_delete === "cascade");
  if (change !== "deleted" || cascade === undefined) return;
  report({
    code: "event-not-published",
    severity: "warning",
    path,
    expected: `every deletion of ${name} to be told`,
    got: `${cascade.item.name} with on_delete: cascade, by which the database deletes rows and nothing is published`,
    hint: "use on_delete: restrict, or let consumers take the deletion of what it refers to for its own, too",
  });
}

/** Of one name, the events of both would go to those who react to the saga's stages. */
function checkSagas(type: string, path: (string | number)[], config: LooseConfig, report: RuleInput["report"]): void {
  if (config.session?.saga?.orchestration !== "choreography") return;
  const name = type.split(".")[0];
  const saga = present(config.long_running?.tasks).find(({ item }) => item.name === name);
  if (saga === undefined) return;
  const expected = "an entity whose events no choreographed saga has";
  report({ code: "duplicate-name", path, expected, got: `task ${name}, whose events begin so`, hint: "rename one" });
}

function checkConsumed({ config, report }: RuleInput): void {
  const consumed = present(config.events?.consume);
  const named = new Map<string, { readonly from: string; readonly subjects: Set<string> }>();
  for (const { item, i } of consumed) {
    const path = ["events", "consume", i];
    const { subject, handler, from } = item;
    if (subject !== undefined && !SUBJECT.test(subject)) {
      const expected = "words of A-Z, a-z, 0-9, _ and - joined by dots, * for one word, > for the rest";
      report({ code: "wrong-value", path: [...path, "subject"], expected, got: shown(subject) });
      continue;
    }
    if (subject === undefined || handler === undefined) continue;
    const source = from === undefined ? "" : namesOf(from).kebab;
    const known = named.get(handler) ?? { from: source, subjects: new Set() };
    named.set(handler, known);
    if (known.from !== source) {
      const expected = `one source for the handler ${handler}`;
      const got = `${source || "this service"} beside ${known.from || "this service"}`;
      report({ code: "duplicate-name", path: [...path, "handler"], expected, got, hint: "give each a handler" });
    } else if (known.subjects.has(subject)) {
      const expected = `each subject of ${handler} once`;
      report({ code: "duplicate-name", path: [...path, "subject"], expected, got: shown(subject), hint: "remove one" });
    }
    known.subjects.add(subject);
    if (from === undefined) checkOwn(subject, [...path, "subject"], config, report);
  }
  const first = [...named.keys()].map((name) => {
    const at = consumed.find(({ item }) => item.handler === name)?.i ?? 0;
    return { name, path: ["events", "consume", at, "handler"] };
  });
  checkNames(report, "event handler", first);
}

/** A change of an entity here that nobody tells: nothing would ever come. */
function checkOwn(subject: string, path: (string | number)[], config: LooseConfig, report: RuleInput["report"]): void {
  const changes = namesOfEntities(config).flatMap((entity) => CHANGES.map((change) => `${entity}.${change}`));
  if (!changes.includes(subject) || config.events?.publish?.includes(subject) === true) return;
  report({
    code: "event-not-published",
    severity: "warning",
    path,
    expected: "an event that this service publishes",
    got: `${shown(subject)}, which is not in events.publish`,
    hint: "add it there, or say with `from` whose event it is",
  });
}
