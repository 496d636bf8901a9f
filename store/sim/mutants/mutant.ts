/** A rule of a node that is taken out; the simulator must notice within its short form. */
export type Mutant = {
  /** Kebab-case, for the command line. */
  readonly name: string;
  /** What holds where nothing is taken out. */
  readonly rule: string;
  readonly edits: readonly Edit[];
};

/** In `file`, `from` stands exactly once and becomes `to`. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string };

export function mutant(name: string, rule: string, file: string, from: string, to: string): Mutant {
  return { name, rule, edits: [{ file, from, to }] };
}
