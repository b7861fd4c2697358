/** The types of config-reference.mjs, which Node runs as it is. */
export function configReference(schema: object, rows: readonly object[], version: string): string;
