/** A definition of which runs are: its name and the fingerprint of its shape. */
export interface DefinitionRef {
  readonly name: string;
  readonly version: string;
}
