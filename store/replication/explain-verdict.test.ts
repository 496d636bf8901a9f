import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';
import type { KeyReport } from '../peer/data-messages.ts';
import type { ExplainedReplica } from './data-admin.ts';
import { explainVerdict } from './explain-verdict.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });
const [OLD, NEW] = ['000000000005-0000-1', '000000000009-0000-1'];

const REPORT: KeyReport = {
  ...{
    epoch: toEpoch(4),
    version: at(9),
    isTombstone: false,
    expiresAtMs: undefined,
    bytes: 3,
    isCorrupt: false,
  },
  ...{ floor: at(1), watermark: at(1), hints: [], lastExchange: [], treeState: 'ready' },
};

function verdict(...changes: (Partial<KeyReport> | string)[]): string {
  const { safety, verdict: words } = explainVerdict(
    { epoch: toEpoch(4), replicas: replicas(changes), hints: [] },
    100,
  );
  return `${safety}: ${words}`;
}

function replicas(changes: readonly (Partial<KeyReport> | string)[]): ExplainedReplica[] {
  return changes.map((change, index) => {
    const replica = { member: index + 1, name: `n${index + 1}`, isUp: true };
    if (typeof change === 'string')
      return { ...replica, isReachable: false, report: undefined, error: change };
    return { ...replica, isReachable: true, report: { ...REPORT, ...change }, error: undefined };
  });
}

test('explainVerdict: all hold it, a quorum does, fewer do', () => {
  assert.equal(verdict({}, {}, {}), `safe: 3 of 3 replicas hold version ${NEW}; safe`);
  assert.equal(
    verdict({}, { version: at(5) }, {}),
    `degraded: 2 of 3 replicas hold version ${NEW}, a quorum: safe; n2 is behind: it holds version ${OLD}`,
  );
  assert.equal(
    verdict({}, 'TIMEOUT', {}),
    `degraded: 2 of 3 replicas hold version ${NEW}, a quorum: safe; n2 does not answer (TIMEOUT)`,
  );
  assert.match(
    verdict({ version: undefined }, { version: at(5), epoch: toEpoch(3) }, {}),
    /^at-risk: only 1 of 3 .*n1 is behind: it holds nothing; n2 .*, and knows epoch 3 of the partition only\. A write is/,
  );
  assert.match(verdict({}, 'x', 'y'), /^at-risk: only 1 of 3 .*this copy must not be lost\.$/);
  assert.equal(verdict({}), `safe: 1 of 1 replicas hold version ${NEW}; safe`);
});

test('explainVerdict: a newer answer counts as held by nobody but who has it', () => {
  assert.match(
    verdict({ version: at(10) }, {}, {}),
    /^at-risk: only 1 of 3 replicas hold version 00000000000a/,
  );
});

test('explainVerdict: nothing anywhere, and too few to tell', () => {
  const none = { version: undefined };
  assert.match(verdict(none, none, none), /^absent: 3 of 3 replicas say that there is nothing/);
  assert.match(verdict(none, none, 'down'), /^absent: 2 of 3 .*; n3 does not answer \(down\)$/);
  assert.match(verdict(none, 'down', 'down'), /^unknown: 1 of 3 replicas answer, fewer than a quorum/);
});

test('explainVerdict: a delete that one replica has collected is safe, a live record it lacks is a defect', () => {
  const collected = { version: undefined, watermark: at(9) };
  assert.match(
    verdict({ isTombstone: true }, collected, { isTombstone: true }),
    /^safe: 3 of 3 .* the delete, version/,
  );
  assert.match(
    verdict({ expiresAtMs: 100 }, collected, { expiresAtMs: 100 }),
    /^safe: .* which has expired; safe$/,
  );
  assert.match(verdict({}, collected, {}), /n2 lacks it though its watermark is past it: report this/);
  const below = { version: undefined, watermark: at(8) };
  assert.match(verdict({ isTombstone: true }, below, { isTombstone: true }), /^degraded: .*n2 is behind/);
});

test('explainVerdict: a record that fails its checksum is held by nobody', () => {
  assert.match(
    verdict({}, { isCorrupt: true }, {}),
    /^degraded: .*; the record of n2 fails its checksum and is healed/,
  );
  const lost = { isCorrupt: true, version: undefined };
  assert.match(
    verdict(lost, { version: undefined }, { version: undefined }),
    /^at-risk: .*the record of n1 fails/,
  );
});

test('explainVerdict: hints are told', () => {
  const hints = [{ keeper: 'n1', owner: 'n3', version: at(9) }];
  const evidence = { epoch: toEpoch(4), replicas: replicas([{}, {}, 'down']), hints };
  assert.match(explainVerdict(evidence, 0).verdict, /; n3 does not answer \(down\); n1 keeps a hint for n3$/);
});
