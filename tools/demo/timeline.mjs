const MARKS = {
  completed: "✓",
  compensated: "↩",
  failed: "✗",
  dispatched: "→",
  claimed: "⚑",
  unwinding: "⤺",
  finished: "■",
  stuck: "!",
};

/** One line per fact in a run's journal, with the time since its start. */
export function printTimeline(run, rows) {
  console.log(`  run ${run.id}  ${run.definition}`);
  const startedAt = Date.parse(run.created_at);
  for (const row of rows) {
    const at = typeof row.at === "number" ? row.at : Date.parse(row.at);
    for (const record of row.records) {
      const seconds = `+${((at - startedAt) / 1000).toFixed(2)} s`.padStart(10);
      console.log(`  ${seconds}  ${MARKS[record.kind] ?? "·"} ${describe(record)}`);
    }
  }
}

function describe(record) {
  switch (record.kind) {
    case "dispatched":
      return `${record.step}: ${record.direction === "forward" ? "started" : "compensation started"}${attempt(record)}`;
    case "completed":
      return `${record.step}: completed`;
    case "compensated":
      return `${record.step}: compensated`;
    case "failed":
      return `${record.step}: ${record.refused ? "refused" : "failed"} (${record.error.message})${retry(record)}`;
    case "claimed":
      return "taken over by another worker";
    case "unwinding":
      return `unwinding: ${record.error.message}`;
    case "finished":
      return `ended: ${record.status}`;
    default:
      return record.kind;
  }
}

function attempt(record) {
  return record.attempt > 1 ? ` (attempt ${record.attempt})` : "";
}

function retry(record) {
  const ms = record.retryAfterMs ?? record.retry_after_ms;
  return ms === undefined ? "" : `, again in ${ms} ms`;
}
