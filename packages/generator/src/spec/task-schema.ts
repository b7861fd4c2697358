/** Tasks in the config file: stages and what undoes them, the sources of batches, and when and where their runs begin. */
import {
  block,
  choice,
  delay,
  duration,
  flag,
  identifier,
  integer,
  json,
  list,
  optional,
  ratio,
  text,
} from "./keywords.js";

const cronText = (description: string) => text(description, { maxLength: 100, minLength: 1 });
const expression = (description: string) => text(description, { minLength: 1, maxLength: 10_000 });

export const retry = block(
  "How failed attempts are repeated. Stage before task before service before session.recovery, key by key.",
  {
    max_attempts: optional(integer("Attempts in all; the first try counts.", 1, 1000)),
    backoff: optional(choice("How the delay grows.", ["exponential", "linear", "fixed"])),
    initial_delay: optional(duration("Delay before the second attempt.")),
    max_delay: optional(duration("Upper bound of the delay.")),
    jitter: optional(choice("full: a random delay between zero and the computed one.", ["full", "none"])),
    non_retryable: optional(
      list(
        "Failures that no attempt follows: codes, answers' statuses as http-409, beginnings of either as http-4*.",
        text("A code.", { pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]*[*]?$", minLength: 1, maxLength: 100 }),
        { maxItems: 50, uniqueItems: true },
      ),
    ),
  },
);

const actionKeys = {
  name: optional(identifier("Name of the stage, unique in its task. A parallel group needs none.")),
  service: optional(identifier("Service that performs it.")),
  endpoint: optional(text("Path below the service's url, `/validate`.", { minLength: 1, maxLength: 500 })),
  method: optional(choice("HTTP method. Default: POST.", ["GET", "POST", "PUT", "PATCH", "DELETE"])),
  timeout: optional(
    duration("Time for one attempt (default: the service's), or of waiting for the signal (default: the run's)."),
  ),
  retry: optional(retry),
  refusals: optional(
    list("HTTP statuses that are a refusal beside the usual ones.", integer("A status.", 300, 499), {
      maxItems: 50,
      uniqueItems: true,
    }),
  ),
  input: optional(
    json(
      "What the service is sent, or the child saga is given: one JSONata expression, or an object whose values may be `${ expression }`; with map also over item and index, in a batch over item.",
    ),
  ),
  when: optional(expression("Runs only if this JSONata expression is true.")),
  wait_for: optional(
    text("Waits for this signal, whose payload is its output; as long as `timeout`, if there is one.", {
      pattern: "^[A-Za-z][A-Za-z0-9_.-]*$",
      minLength: 1,
      maxLength: 100,
    }),
  ),
  on_timeout: optional(
    choice("What it is when the signal does not come in time; skip: it goes on, with output null. Default: fail.", [
      "fail",
      "refuse",
      "skip",
    ]),
  ),
  sleep: optional(
    delay(
      "Waits this long, durably; or what `${ expression }` gives: milliseconds, or an ISO 8601 time with its zone.",
    ),
  ),
  saga: optional(identifier("Runs this workflow task as a run of its own; its input is `input`, else the run's.")),
  map: optional(expression("JSONata giving a list; the service is called once for each item.")),
  concurrency: optional(integer("Items of map at once. Default: 1.", 1, 1000)),
  max_items: optional(integer("A longer list of map fails the stage. Default: 1000.", 1, 10_000)),
  heartbeat: optional(
    duration(
      "An attempt that gives no sign of life for so long has failed, and is tried again. Default: it may be silent until its timeout.",
    ),
  ),
  pivot: optional(flag("True: once this stage has completed, the run only goes forward.")),
};

const innerStage = block("A stage of a parallel group.", {
  ...actionKeys,
  parallel: optional(json("Not in a group.")),
});

const stage = block("One step, or a parallel group of steps.", {
  ...actionKeys,
  parallel: optional(list("Stages that run at the same time.", innerStage, { minItems: 1, maxItems: 100 })),
});

const compensation = block("What undoes a stage.", {
  stage: identifier("The stage it undoes."),
  action: text("Path below the service's url, called with POST.", { minLength: 1, maxLength: 500 }),
  service: optional(identifier("Service that undoes it. Default: the stage's.")),
  timeout: optional(duration("Time for one attempt. Default: the service's.")),
  retry: optional(retry),
});

const source = block("Where a batch's items come from; one of entity, service, file, items.", {
  entity: optional(identifier("Records of this entity.")),
  where: optional(json("Equality conditions on its fields; null: not set.")),
  service: optional(identifier("Pages from this service.")),
  endpoint: optional(text("Path that answers with a page and its cursor.", { minLength: 1, maxLength: 500 })),
  file: optional(text("Lines of this file; its path from the project's folder.", { minLength: 1, maxLength: 500 })),
  format: optional(
    choice("lines: a text for each. csv: an object for each, by the names in its head. Default: csv for *.csv.", [
      "lines",
      "csv",
    ]),
  ),
  items: optional(list("The items themselves.", json("An item."), { minItems: 1, maxItems: 10_000 })),
  key: optional(
    text(
      "Field of an item that is its key, unique in the source (service, items; a column of csv). Default: id for service, else the item's place.",
      { minLength: 1, maxLength: 200 },
    ),
  ),
});

export const task = block("A long-running definition.", {
  name: identifier("Name of the definition: /sagas/<name>, /tasks/<name>."),
  type: choice(
    "workflow: stages in order. batch: the stages for each item of a source.",
    ["workflow", "batch"],
    "workflow",
  ),
  timeout: optional(duration("Time for a whole run. Default: session.saga.timeout.")),
  start_timeout: optional(
    duration("A run that no instance has begun this long after its start ends failed. Default: it waits."),
  ),
  retry: optional(retry),
  schedule: optional(cronText("Cron expression: minute, hour, day, month, weekday.")),
  timezone: optional(text("IANA time zone of the schedule. Default: UTC.", { minLength: 1, maxLength: 64 })),
  overlap: optional(choice("When the last run is not over yet. Default: skip.", ["skip", "queue", "cancel"])),
  catch_up: optional(
    flag("Whether ticks missed while nothing ran are made up for, the newest 100 of them. Default: false."),
  ),
  schedule_input: optional(
    json(
      "What scheduled runs are given: an object whose values may be `${ expression }` over tick, an ISO 8601 time. Default: {}.",
    ),
  ),
  queue: optional(
    text("Queue of its runs; tasks that name one share it. Default: one of its own, when it has a limit.", {
      pattern: "^[A-Za-z][A-Za-z0-9_.-]*$",
      minLength: 1,
      maxLength: 100,
    }),
  ),
  priority: optional(
    integer("Of the runs that wait in a queue, those of higher priority begin first. Default: 0.", -1000, 1000),
  ),
  concurrency_per_key: optional(integer("workflow: runs of one queue_key at once. Default: any number.", 1, 100_000)),
  queue_key: optional(
    expression("workflow: JSONata over input that gives a run's key in its queue, such as its customer."),
  ),
  concurrency: optional(
    integer(
      "batch: chunks at once. workflow: runs at once, those that sleep or wait included. Over all instances. Default: 1 chunk, any number of runs.",
      1,
      100_000,
    ),
  ),
  rate_limit: optional(
    block("workflow: runs that begin in a window, over all instances. batch: items.", {
      max: integer("So many at most; runs at most 10,000.", 1, 1_000_000),
      window: duration("Length of the window. Default: 1s.", "1s"),
    }),
  ),
  source: optional(source),
  chunk_size: optional(integer("batch: items in one chunk. Default: 100.", 1, 100_000)),
  max_failures: optional(
    integer("batch: items that may fail; one more halts it. Default: 0, with a ratio any number.", 0, 1_000_000_000),
  ),
  max_failure_ratio: optional(
    ratio("batch: part of the items that may fail, judged from 100 items on and at the end. Default: any."),
  ),
  stages: list("The steps, in order.", stage, { minItems: 1 }),
  compensation: list("What undoes them.", compensation, { default: [] }),
});
