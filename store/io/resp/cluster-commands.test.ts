import assert from 'node:assert/strict';
import { test } from 'node:test';
import { show, startTestResp } from './test-resp.ts';
import { dataOf } from './test-ring.ts';

const ID = '0'.repeat(32);
const idOf = (member: number): string => `${ID}0000000${member}`;

const SETS = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 3, 1],
  [3, 1, 2],
];
const nodes = (...members: number[]): string =>
  members.map((member) => `["10.0.0.${member}",6379,"${idOf(member)}",[]]`).join(',');

test('CLUSTER SLOTS gives each slot to its primary, with its replicas, and ranges that follow each other are one', async () => {
  await using resp = await startTestResp({}, dataOf(SETS));
  const client = await resp.connect();
  assert.equal(
    show(await client.say('CLUSTER SLOTS')),
    `[[0,8191,${nodes(1, 2, 3)}],[8192,12287,${nodes(2, 1, 3)}],[12288,16383,${nodes(3, 1, 2)}]]`,
  );
});

test('CLUSTER SLOTS: where only the replicas differ there are ranges of their own', async () => {
  await using resp = await startTestResp({}, dataOf([[1, 2], [1, 3], [1, 3], [2]]));
  assert.equal(
    show(await (await resp.connect()).say('CLUSTER SLOTS')),
    `[[0,4095,${nodes(1, 2)}],[4096,12287,${nodes(1, 3)}],[12288,16383,${nodes(2)}]]`,
  );
});

test('a slot whose primary is down, or serves no clients of Redis, is given to the next replica', async () => {
  const slots = async (down: number[], without: number[]) => {
    await using resp = await startTestResp({}, dataOf(SETS, down, without));
    return show(await (await resp.connect()).say('CLUSTER SLOTS'));
  };
  const withoutTwo = `[[0,8191,${nodes(1, 3)}],[8192,16383,${nodes(3, 1)}]]`;
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
  assert.deepEqual(
    shards.map(([, , , members]) => members.map((fields) => `${fields[5]} ${fields[9]} ${fields[13]}`)),
    [
      ['10.0.0.1 master online', '10.0.0.2 replica online'],
      ['10.0.0.2 master online', '10.0.0.1 replica online'],
      ['10.0.0.3 master fail'],
    ],
    'a replica that is down is not told',
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
