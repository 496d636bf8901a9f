import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError } from '../../cluster/cluster-admin.ts';
import { slotOf } from '../../core/ring/slot.ts';
import type { DataAdmin } from '../../replication/data-admin.ts';
import { TestCluster } from '../http/test-cluster.ts';
import type { KeyPlace } from '../resp-metrics.ts';
import { KeyRouting, type Told } from './key-routing.ts';
import type { RespOptions } from './resp-options.ts';
import { show, startTestResp } from './test-resp.ts';
import { dataOf } from './test-ring.ts';

/** Seen from member 1: two partitions that it is asked first for and holds, and two that it does not hold. */
const SETS = [
  [1, 2],
  [2, 1],
  [2, 3],
  [3, 2],
];
const FIRST = Buffer.from('k2');
const REPLICA = Buffer.from('k3');
const ELSEWHERE = Buffer.from('k0');

function routingOf(redirect: RespOptions['redirect'], data: () => DataAdmin | undefined = dataOf(SETS).data) {
  const counted: KeyPlace[] = [];
  const slots = { data, cluster: new TestCluster(), port: 6379 };
  const metrics = { countRespKey: (place: KeyPlace) => void counted.push(place) };
  return { routing: new KeyRouting({ redirect }, { slots, metrics }), counted };
}

const nobodyTold = (): Told => ({ movedAtMs: undefined });
const MOVED = `MOVED ${slotOf(ELSEWHERE)} 10.0.0.2:6379`;

test('KeyRouting: keys are counted by where they are, and without the setting everything is served', () => {
  const { routing, counted } = routingOf('never');
  for (const key of [FIRST, REPLICA, ELSEWHERE]) assert.equal(routing.look(nobodyTold(), key, 0), undefined);
  assert.deepEqual(counted, ['first', 'replica', 'elsewhere']);
});

test('KeyRouting: who asks for what is elsewhere is told the owner, once in a while', () => {
  const { routing } = routingOf('owner');
  const told = nobodyTold();
  const said = (key: Uint8Array, nowMs: number, to = told): string | undefined => {
    const reply = routing.look(to, key, nowMs);
    return reply?.type === 'error' ? reply.text : undefined;
  };
  assert.equal(said(FIRST, 0), undefined);
  assert.equal(said(REPLICA, 0), undefined);
  assert.equal(said(ELSEWHERE, 0), MOVED);
  assert.equal(said(ELSEWHERE, 99), undefined);
  assert.equal(said(ELSEWHERE, 99, nobodyTold()), MOVED);
  assert.equal(said(ELSEWHERE, 100), MOVED);
});

test('KeyRouting: nobody is sent to a node that is down, or away from one that is becoming a replica', () => {
  const down = routingOf('owner', dataOf(SETS, [2, 3]).data);
  assert.equal(down.routing.look(nobodyTold(), ELSEWHERE, 0), undefined);
  const { data } = dataOf(SETS);
  const ring = data()?.ring();
  assert.ok(ring);
  const sets = ring.sets.map((set) => ({ ...set, movingTo: [2, 1] }));
  const coming = { ring: () => ({ ...ring, sets }) } as unknown as DataAdmin;
  const { routing, counted } = routingOf('owner', () => coming);
  assert.equal(routing.look(nobodyTold(), ELSEWHERE, 0), undefined);
  assert.deepEqual(counted, ['replica']);
});

test('KeyRouting: what is placed while it runs is seen within a second', () => {
  let placed: DataAdmin | undefined;
  const { routing, counted } = routingOf('owner', () => placed);
  const unplaced = {
    ring() {
      throw new ClusterError('CLUSTER_FORMING', 'the partitions are not placed yet');
    },
  } as unknown as DataAdmin;
  assert.equal(routing.look(nobodyTold(), ELSEWHERE, 0), undefined);
  placed = unplaced;
  assert.equal(routing.look(nobodyTold(), ELSEWHERE, 1000), undefined);
  placed = dataOf(SETS).data();
  assert.equal(routing.look(nobodyTold(), ELSEWHERE, 1999), undefined);
  assert.deepEqual(counted, []);
  assert.ok(routing.look(nobodyTold(), ELSEWHERE, 2000));
  assert.deepEqual(counted, ['elsewhere']);
});

test('resp.redirect: a command on a key that is elsewhere is answered MOVED and not done, the next one is done', async () => {
  await using resp = await startTestResp({ redirect: 'owner' }, dataOf(SETS));
  const client = await resp.connect();
  client.send(['SET', ELSEWHERE, 'a'], ['SET', FIRST, 'b'], ['GET', ELSEWHERE], ['SET', ELSEWHERE, 'c']);
  const replies = await client.replies(4);
  assert.deepEqual(replies.map(show), [`<${MOVED}>`, '"OK"', 'null', '"OK"']);
  const text = await resp.metrics.registry.metrics();
  assert.match(text, /kvorum_resp_key_place_total\{place="elsewhere"\} 3/);
  assert.match(text, /kvorum_resp_key_place_total\{place="first"\} 1/);
});
