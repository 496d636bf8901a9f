/** A rule of the core that is taken out, and the test that must notice; see mutants.test.ts. */
export type Mutant = {
  readonly caughtBy: string;
  readonly rule: string;
  readonly edits: readonly Edit[];
};

/** In `file` of store/core/raft, `from` stands exactly once and becomes `to`. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string };

export function mutant(caughtBy: string, rule: string, file: string, from: string, to: string): Mutant {
  return { caughtBy, rule, edits: [{ file, from, to }] };
}
