import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RingView } from '../../replication/data-admin.ts';
import { TestCluster } from '../http/test-cluster.ts';
import { TestData } from '../http/test-data.ts';
import { TestStore } from '../http/test-store.ts';
import { show, startTestResp } from './test-resp.ts';

const ID = '0'.repeat(32);
const idOf = (member: number): string => `${ID}0000000${member}`;

/** Three members, of which the test says who is up and who owns the four partitions. */
function dataOf(
  sets: readonly (readonly number[])[],
  down: readonly number[] = [],
  without: readonly number[] = [],
) {
  const cluster = new TestCluster();
  const data = new TestData(cluster, new TestStore());
  const members = [1, 2, 3].map((number) => ({
    ...{ number, name: `n${number}`, httpAddress: `10.0.0.${number}:7400`, zone: '', weight: 100 },
    respAddress: without.includes(number) ? undefined : `10.0.0.${number}:6379`,
    isUp: !down.includes(number),
  }));
  const ring = {
    epoch: 7,
    partitions: 4,
    replicationFactor: 3,
    members,
    sets: sets.map((replicas) => ({ replicas, epoch: 1 })),
  };
  data.ring = () => ring as unknown as RingView;
  return { data: () => data };
}

const SETS = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 3, 1],
  [3, 1, 2],
];
const node = (member: number): string => `["10.0.0.${member}",6379,"${idOf(member)}",[]]`;

test('CLUSTER SLOTS gives each slot to its primary, and ranges that follow each other are one', async () => {
  await using resp = await startTestResp({}, dataOf(SETS));
  const client = await resp.connect();
  assert.equal(
    show(await client.say('CLUSTER SLOTS')),
    `[[0,8191,${node(1)}],[8192,12287,${node(2)}],[12288,16383,${node(3)}]]`,
  );
});

test('a slot whose primary is down, or serves no clients of Redis, is given to the next replica', async () => {
  const slots = async (down: number[], without: number[]) => {
    await using resp = await startTestResp({}, dataOf(SETS, down, without));
    return show(await (await resp.connect()).say('CLUSTER SLOTS'));
  };
  const withoutTwo = `[[0,8191,${node(1)}],[8192,16383,${node(3)}]]`;
  assert.equal(await slots([2], []), withoutTwo);
  assert.equal(await slots([], [2]), withoutTwo);
  assert.match(await slots([1, 2, 3], []), /^\[\[0,8191,/, 'who is down is still told where nobody is up');
});

test('CLUSTER SHARDS, NODES, INFO and MYID say the same in other forms', async () => {
  await using resp = await startTestResp({}, dataOf(SETS, [3]));
  const client = await resp.connect();
  assert.equal(await client.say('CLUSTER MYID'), idOf(1));
  assert.equal(
    await client.say('CLUSTER NODES'),
    [
      `${idOf(1)} 10.0.0.1:6379@6379 myself,master - 0 0 1 connected 0-8191 12288-16383\n`,
      `${idOf(2)} 10.0.0.2:6379@6379 master - 0 0 1 connected 8192-12287\n`,
      `${idOf(3)} 10.0.0.3:6379@6379 master,fail - 0 0 1 disconnected\n`,
    ].join(''),
  );
  const shards = (await client.say('CLUSTER SHARDS')) as [string, number[], string, string[][]][];
  assert.deepEqual(
    shards.map(([, slots]) => slots),
    [[0, 8191, 12_288, 16_383], [8192, 12_287], []],
  );
  assert.match(
    String(await client.say('CLUSTER INFO')),
    /^cluster_state:ok\r\ncluster_slots_assigned:16384\r\n/,
  );
});

test('CLUSTER KEYSLOT and COUNTKEYSINSLOT are those of Redis', async () => {
  await using resp = await startTestResp({}, dataOf(SETS));
  const client = await resp.connect();
  const script: [string, string][] = [
    ['CLUSTER KEYSLOT foo', '12182'],
    ['CLUSTER KEYSLOT a{foo}b', '12182'],
    ['MSET foo 1 a{foo}b 2 bar 3', '"OK"'],
    ['CLUSTER COUNTKEYSINSLOT 12182', '2'],
    ['CLUSTER COUNTKEYSINSLOT 16384', '<ERR Invalid slot>'],
    ['CLUSTER KEYSLOT', "<ERR wrong number of arguments for 'cluster|keyslot' command>"],
    ['CLUSTER nonsense', "<ERR unknown subcommand 'nonsense'. Try CLUSTER HELP.>"],
  ];
  for (const [line, expected] of script) assert.equal(show(await client.say(line)), expected, line);
});

test('before anything is placed CLUSTER says so', async () => {
  await using resp = await startTestResp({}, { data: () => undefined });
  const client = await resp.connect();
  assert.match(show(await client.say('CLUSTER SLOTS')), /^<CLUSTERDOWN CLUSTER_FORMING /);
});
