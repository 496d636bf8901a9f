/** A rule of a node that is taken out; the simulator must notice within its short form, or the test that is named. */
export type Mutant = {
  /** Kebab-case, for the command line. */
  readonly name: string;
  /** What holds where nothing is taken out. */
  readonly rule: string;
  readonly edits: readonly Edit[];
  /** A file of tests that fails without the rule: what it takes to see the rule broken is too rare to come up by chance. */
  readonly test?: string;
};

/** In `file`, `from` stands exactly once and becomes `to`. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string };

export function mutant(name: string, rule: string, file: string, from: string, to: string): Mutant {
  return { name, rule, edits: [{ file, from, to }] };
}
