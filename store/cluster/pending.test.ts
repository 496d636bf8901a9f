import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadId } from '../core/raft/messages.ts';
import { type Entry, toIndex, toTerm } from '../core/raft/types.ts';
import { PendingProposals } from './pending-proposals.ts';
import { PendingReads } from './pending-reads.ts';

const at = (index: number, term: number) => ({ index: toIndex(index), term: toTerm(term) });
const entry = (index: number, term: number): Entry => ({ type: 'no-op', ...at(index, term) });
const id = (sequence: number): ReadId => ({ member: 1, incarnation: 1, sequence });

test('R25: a proposal is applied where its own entry is, lost where another is, unknown where nobody can tell', async () => {
  const proposals = new PendingProposals<string>();
  const ends = [proposals.add(at(5, 2)), proposals.add(at(6, 2)), proposals.add(at(7, 2))];
  proposals.applied(entry(4, 2), 'of nobody');
  proposals.applied(entry(5, 2), 'done');
  proposals.applied(entry(6, 3), 'of another leader');
  proposals.endAll({ type: 'unknown' });
  proposals.applied(entry(7, 2), 'too late');
  assert.deepEqual(await Promise.all(ends), [
    { type: 'applied', outcome: 'done' },
    { type: 'lost' },
    { type: 'unknown' },
  ]);
});

test('R25: a proposal at an index that another one waits for ends that one as unknown', async () => {
  const proposals = new PendingProposals<string>();
  const [old, young] = [proposals.add(at(5, 2)), proposals.add(at(5, 4))];
  proposals.applied(entry(5, 4), 'young');
  assert.deepEqual(await Promise.all([old, young]), [
    { type: 'unknown' },
    { type: 'applied', outcome: 'young' },
  ]);
});

test('a read ends once its own index is applied, and not by the answer to another', async () => {
  const reads = new PendingReads();
  const ended: string[] = [];
  const note = (name: string) => (end: { readonly type: string }) => void ended.push(`${name} ${end.type}`);
  const all = [
    reads.add(id(1)).then(note('a')),
    reads.add(id(2)).then(note('b')),
    reads.add(id(3)).then(note('c')),
  ];
  reads.take([{ type: 'confirmed', id: id(1), index: toIndex(10) }]);
  reads.applied(toIndex(9));
  await Promise.resolve();
  assert.deepEqual(ended, []);
  reads.applied(toIndex(10));
  reads.take([
    { type: 'confirmed', id: id(1), index: toIndex(10) },
    { type: 'dropped', id: id(2), reason: 'leader-changed' },
  ]);
  await Promise.resolve();
  reads.endAll('stopped');
  await Promise.all(all);
  assert.deepEqual(ended, ['a confirmed', 'b dropped', 'c dropped']);
});
