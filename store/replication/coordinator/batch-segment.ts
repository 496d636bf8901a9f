import type { BatchOperation, BatchOutcome } from '../../storage/kv-store.ts';

/** Begins one operation of a batch; `onEnd` is called once with its outcome, perhaps before the call returns. */
export type BeginOperation = (
  operation: BatchOperation,
  index: number,
  onEnd: (outcome: BatchOutcome) => void,
) => void;

/**
 * Runs segments one after the other (the order of operations on one key), all operations of a segment at once: they begin in
 * one turn, so that requests for one replica share a frame.
 */
export async function runSegments(
  segments: readonly (readonly BatchOperation[])[],
  begin: BeginOperation,
): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for (const segment of segments) outcomes.push(...(await runSegment(segment, outcomes.length, begin)));
  return outcomes;
}

function runSegment(
  segment: readonly BatchOperation[],
  firstIndex: number,
  begin: BeginOperation,
): Promise<BatchOutcome[]> {
  return new Promise((resolve) => {
    const outcomes = new Array<BatchOutcome>(segment.length);
    let open = segment.length;
    for (const [at, operation] of segment.entries()) {
      begin(operation, firstIndex + at, (outcome) => {
        outcomes[at] = outcome;
        open -= 1;
        if (open === 0) resolve(outcomes);
      });
    }
  });
}
