import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterAdmin } from '../cluster/cluster-admin.ts';
import type { Member } from '../cluster/member.ts';
import { unplacedStore } from './unplaced-store.ts';

test('unplacedStore: before the topology has arrived no namespace is denied, since nothing is known of any', async () => {
  const member = { topology: { state: undefined } } as unknown as Member;
  const store = unplacedStore(member, {} as ClusterAdmin, new AbortController().signal);
  const forming = { name: 'ClusterError', code: 'CLUSTER_FORMING' };
  assert.throws(() => store.getNamespace('default'), forming);
  assert.throws(() => store.listNamespaces(), forming);
  await assert.rejects(store.deleteNamespace('other', 'other'), forming);
  await assert.rejects(store.get('default', Buffer.from('key')), forming);
});
