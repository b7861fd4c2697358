/**
 * What tells the driver to begin each connection with these settings of the server, written `-c name=value -c ...`. Those
 * that the url brings in its `options` stay; of one that both name, ours counts, because the server takes the last. The
 * driver alone would let the url's `options` replace ours.
 */
export function withServerSettings(
  url: string,
  settings: string,
): { readonly connectionString: string; readonly options?: string } {
  // A path of a socket, which the driver takes too, brings no options.
  if (!URL.canParse(url)) return { connectionString: url, options: settings };
  const extended = new URL(url);
  const options = `${extended.searchParams.get("options") ?? ""} ${settings}`.trim();
  if (options !== "") extended.searchParams.set("options", options);
  return { connectionString: extended.href };
}
