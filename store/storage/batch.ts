import type { DataAccess, EngineWrite, NotYet, PreparedWrite } from './data-access.ts';
import { dataKey } from './key-layout.ts';
import { keyName } from './key-name.ts';
import type { BatchOperation, BatchOutcome, Namespace } from './kv-store.ts';

/**
 * Runs a batch as few engine calls as its order allows: operations on different keys go together, and a segment
 * ends where an operation touches a key that the segment has touched.
 */
export async function runBatch(
  access: DataAccess,
  namespace: NamespaceNow,
  operations: readonly BatchOperation[],
): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for (const segment of segmentsOf(operations))
    outcomes.push(...(await runSegment(access, namespace, segment)));
  return outcomes;
}

/** Throws where it was dropped: what is written after that would never be deleted. */
export type NamespaceNow = () => Namespace;

/** Cuts `operations` so that no segment touches a key twice. */
export function segmentsOf(operations: readonly BatchOperation[]): BatchOperation[][] {
  const segments: BatchOperation[][] = [];
  let touched = new Set<string>();
  let segment: BatchOperation[] = [];
  for (const operation of operations) {
    const name = keyName(operation.key);
    if (touched.has(name)) {
      segments.push(segment);
      segment = [];
      touched = new Set();
    }
    touched.add(name);
    segment.push(operation);
  }
  if (segment.length > 0) segments.push(segment);
  return segments;
}

type Step = { readonly operation: BatchOperation; outcome: BatchOutcome | undefined };

async function runSegment(
  access: DataAccess,
  namespace: NamespaceNow,
  segment: readonly BatchOperation[],
): Promise<BatchOutcome[]> {
  const steps: Step[] = segment.map((operation) => ({ operation, outcome: undefined }));
  await Promise.all([runReads(access, namespace, steps), runWrites(access, namespace, steps)]);
  return steps.map((step) => step.outcome as BatchOutcome);
}

async function runReads(access: DataAccess, namespace: NamespaceNow, steps: readonly Step[]): Promise<void> {
  const reads = steps.filter((step) => step.operation.type === 'get');
  if (reads.length === 0) return;
  const keys = reads.map((step) => step.operation.key);
  let storedKeys: readonly Uint8Array[];
  try {
    const at = namespace();
    storedKeys = keys.map((key) => dataKey(access.address(at, key)));
  } catch (error) {
    for (const step of reads) step.outcome = { type: 'error', error: error as Error };
    return;
  }
  try {
    const records = await access.read(storedKeys, keys);
    for (const [i, step] of reads.entries()) step.outcome = { type: 'get', record: records[i] };
  } catch {
    // One damaged record must not hide the others: ask for each alone.
    await Promise.all(reads.map((step, i) => readAlone(access, storedKeys[i] as Uint8Array, step)));
  }
}

async function readAlone(access: DataAccess, storedKey: Uint8Array, step: Step): Promise<void> {
  try {
    const records = await access.read([storedKey], [step.operation.key]);
    step.outcome = { type: 'get', record: records[0] };
  } catch (error) {
    step.outcome = { type: 'error', error: error as Error };
  }
}

async function runWrites(access: DataAccess, namespace: NamespaceNow, steps: readonly Step[]): Promise<void> {
  let waiting = steps.filter((step) => step.operation.type !== 'get');
  while (waiting.length > 0) {
    const { prepared, notYet } = prepareAll(access, namespace, waiting);
    await Promise.all([commitAll(access, prepared), ...notYet.map(({ step, wait }) => settled(step, wait))]);
    waiting = notYet.map(({ step }) => step).filter((step) => step.outcome === undefined);
  }
}

type WaitingStep = { readonly step: Step; readonly wait: NotYet };
type PreparedStep = { readonly step: Step; readonly write: PreparedWrite };

function prepareAll(
  access: DataAccess,
  namespace: NamespaceNow,
  steps: readonly Step[],
): { readonly prepared: PreparedStep[]; readonly notYet: WaitingStep[] } {
  const prepared: PreparedStep[] = [];
  const notYet: WaitingStep[] = [];
  for (const step of steps) {
    try {
      const write = prepareOne(access, namespace, step.operation);
      if (write instanceof Promise) notYet.push({ step, wait: write });
      else prepared.push({ step, write });
    } catch (error) {
      step.outcome = { type: 'error', error: error as Error };
    }
  }
  return { prepared, notYet };
}

function prepareOne(
  access: DataAccess,
  namespace: NamespaceNow,
  operation: BatchOperation,
): PreparedWrite | NotYet {
  switch (operation.type) {
    case 'put':
      return access.preparePut(namespace(), operation.key, operation);
    case 'delete':
      return access.prepareDelete(namespace(), operation.key);
    case 'get':
      throw new Error('a read is not a write');
  }
}

/** Waits for what a step needs; a failure is the step's outcome. */
async function settled(step: Step, wait: NotYet): Promise<void> {
  try {
    await wait;
  } catch (error) {
    step.outcome = { type: 'error', error: error as Error };
  }
}

async function commitAll(access: DataAccess, prepared: readonly PreparedStep[]): Promise<void> {
  if (prepared.length === 0) return;
  try {
    await access.commit(mergeWrites(prepared.map((each) => each.write)), undefined);
    for (const { step, write } of prepared) {
      step.outcome = { type: step.operation.type === 'put' ? 'put' : 'delete', result: write.result };
    }
  } catch (error) {
    for (const { step } of prepared) step.outcome = { type: 'error', error: error as Error };
  }
}

function mergeWrites(writes: readonly EngineWrite[]): EngineWrite {
  return {
    storedKeys: writes.flatMap((write) => write.storedKeys),
    operations: writes.flatMap((write) => write.operations),
    bytes: writes.reduce((sum, write) => sum + write.bytes, 0),
  };
}
