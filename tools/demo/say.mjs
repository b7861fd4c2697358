export function title(text) {
  console.log(`\n\u001b[1m${text}\u001b[0m`);
}

export function say(text) {
  console.log(`  ${text}`);
}
