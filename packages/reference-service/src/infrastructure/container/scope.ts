/**
 * What was built, in order. Closing disposes in reverse order, each once, and goes on when one of them fails: a
 * resource that cannot be closed must not keep the others open.
 */
export interface Scope {
  /** Registers how `resource` is disposed, and gives it back. */
  own<Resource>(name: string, resource: Resource, dispose: (resource: Resource) => unknown): Resource;
  /** Twice is once. Rejects with an `AggregateError` when a disposal failed, after all were tried. */
  close(): Promise<void>;
}

export function createScope(): Scope {
  const owned: { readonly name: string; readonly dispose: () => unknown }[] = [];
  let closing: Promise<void> | undefined;

  async function disposeAll(): Promise<void> {
    const failures: Error[] = [];
    for (let entry = owned.pop(); entry !== undefined; entry = owned.pop()) {
      try {
        await entry.dispose();
      } catch (cause) {
        failures.push(new Error(`could not close ${entry.name}`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => failure.message).join("; "));
  }

  return {
    own(name, resource, dispose) {
      owned.push({ name, dispose: () => dispose(resource) });
      return resource;
    },
    close() {
      closing ??= disposeAll();
      return closing;
    },
  };
}
