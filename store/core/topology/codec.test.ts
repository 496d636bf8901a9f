import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeCommand,
  decodeState,
  encodeCommand,
  encodeState,
  TOPOLOGY_FORMAT,
  TopologyFormatError,
} from './codec.ts';
import type { TopologyCommand } from './command.ts';
import { createTopology } from './genesis.ts';
import { findViolation } from './invariants.ts';
import { type Operation, type TopologyState, toEpoch } from './types.ts';

const announcement = { peerAddress: 'h:7401', httpAddress: '[::1]:7400', zone: 'eu-1', version: '0.1.0' };
const state = createTopology({
  clusterId: '5a'.repeat(16),
  settings: { partitions: 2, replicationFactor: 1 },
  createdAtMs: 7,
  first: { ...announcement, name: 'a', directoryId: 'dir', weight: 100, incarnation: 1, life: 'l' },
});
const join: TopologyCommand = {
  ...{ type: 'join', name: 'b', directoryId: 'dir-b', weight: 100, replaces: undefined, ...announcement },
};
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);

function throwsFormatError(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof TopologyFormatError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('the bytes of a command and of a state are these', () => {
  const said = '"peerAddress":"h:7401","httpAddress":"[::1]:7400","zone":"eu-1","version":"0.1.0"';
  assert.equal(
    textOf(encodeCommand(join)),
    `{"format":1,"command":{"type":"join","name":"b","directoryId":"dir-b","weight":100,${said}}}`,
  );
  assert.equal(
    textOf(encodeState(state)),
    [
      `{"format":1,"state":{"clusterId":"${'5a'.repeat(16)}","epoch":1,`,
      '"settings":{"partitions":2,"replicationFactor":1},"nextMember":2,"nextNamespaceId":2,',
      '"members":[{"number":1,"name":"a","directoryId":"dir","incarnation":1,"life":"l","state":"up",',
      `"weight":100,${said}}],`,
      '"namespaces":[{"name":"default","id":1,"consistency":"quorum","createdAtMs":7}],',
      '"partitions":[{"epoch":1,"replicas":[1]},{"epoch":1,"replicas":[1]}]}}',
    ].join(''),
  );
});

test('a drain is of format 2, and a member without one has the bytes of format 1', () => {
  const member = state.members.get(1) ?? assert.fail();
  const operation: Operation = {
    ...{ id: toEpoch(1), want: { type: 'drain', member: 1 }, by: 'x', atMs: 2, partitions: 2 },
    ...{ state: 'running', holdsBack: false, endedAtMs: undefined },
  };
  const members = new Map([[1, { ...member, isDraining: true }]]);
  const draining = { ...state, members, operations: [operation], stopLeases: [{ member: 1, untilMs: 3 }] };
  const text = textOf(encodeState(draining));
  assert.match(text, /^\{"format":2,.*"version":"0\.1\.0","isDraining":true\}\],/);
  assert.deepEqual(decodeState(bytesOf(text)), draining);
  const relabelled = bytesOf(text.replace('"format":2', '"format":1'));
  throwsFormatError(() => decodeState(relabelled), /has what only format 2 knows/);
  throwsFormatError(() => decodeState(bytesOf(text.replace('g":true', 'g":false'))), /isDraining is false/);
  throwsFormatError(() => decodeState(bytesOf(text.replace('"drain"', '"rebalance"'))), /member.*no field/);
  const unmarked = bytesOf(text.replace(',"isDraining":true', ''));
  throwsFormatError(() => decodeState(unmarked), /operations drain 1/);
  const end: TopologyCommand = { type: 'operation-end', id: toEpoch(1), atMs: 2 };
  assert.equal(textOf(encodeCommand(end)), '{"format":2,"command":{"type":"operation-end","id":1,"atMs":2}}');
  assert.deepEqual(decodeCommand(encodeCommand(end)), end);
});

test('a weight is of format 1, and a zone that is set by hand of format 2', () => {
  const update = { type: 'update-member', member: 1, weight: 7, zone: undefined } as const;
  const weighed = '{"format":1,"command":{"type":"update-member","member":1,"weight":7}}';
  assert.equal(textOf(encodeCommand(update)), weighed);
  assert.match(textOf(encodeCommand({ ...update, zone: 'z' })), /^\{"format":2/);
  const member = { ...(state.members.get(1) ?? assert.fail()), zone: 'y', zoneReplaced: 'z' };
  const moved = { ...state, members: new Map([[1, member]]) };
  const text = textOf(encodeState(moved));
  assert.match(text, /^\{"format":2,.*"zoneReplaced":"z"/);
  assert.deepEqual(decodeState(bytesOf(text)), moved);
});

test('a newer format is named as such', () => {
  const newer = bytesOf(`{"format":${TOPOLOGY_FORMAT + 1},"state":{"anything":1}}`);
  throwsFormatError(() => decodeState(newer), /of format 4, this program knows formats up to 3/);
  throwsFormatError(() => decodeCommand(newer), /of format 4/);
});

test('bytes cut or changed anywhere are an error or a sound value, never anything else', () => {
  const originals = [encodeCommand(join), encodeState(state)] as const;
  const damage = fc.record({ at: fc.nat(2000), value: fc.nat(255), keep: fc.nat(2000) });
  let errors = 0;
  const property = fc.property(damage, fc.constantFrom(0, 1), ({ at, value, keep }, which) => {
    const original = originals[which] as Uint8Array;
    const bytes = original.slice(0, keep > original.length ? original.length : keep);
    if (bytes.length > 0) bytes[at % bytes.length] = value;
    try {
      if (which === 0) decodeCommand(bytes);
      else assert.equal(findViolation(decodeState(bytes)), undefined);
    } catch (error) {
      assert.ok(error instanceof TopologyFormatError, String(error));
      errors++;
    }
  });
  fc.assert(property, { numRuns: 2000 });
  assert.ok(errors > 1000, `${errors} errors`);
});

test('any JSON is an error, not a crash', () => {
  fc.assert(
    fc.property(fc.json(), fc.jsonValue(), (document, value) => {
      throwsFormatError(() => decodeState(bytesOf(document)), /cannot be decoded/);
      throwsFormatError(
        () => decodeCommand(bytesOf(JSON.stringify({ format: 1, command: value }))),
        /cannot be/,
      );
    }),
  );
});

test('a command that breaks the rules of its fields is not encoded, so it never enters the log', () => {
  const bad = (more: object, message: RegExp) =>
    throwsFormatError(() => encodeCommand({ ...join, ...more } as TopologyCommand), message);
  bad({ name: 'Not_A_Label' }, /command\.name is "Not_A_Label"; allowed is .* a DNS label/);
  bad({ name: 'a\n' }, /command\.name/);
  bad({ weight: 0 }, /command\.weight is 0; allowed is a whole number from 1 to 1000/);
  bad({ weight: 1.5 }, /command\.weight/);
  bad({ peerAddress: 'nowhere' }, /command\.peerAddress .* host:port/);
  bad({ zone: 'z'.repeat(64) }, /command\.zone/);
  bad({ directoryId: '' }, /command\.directoryId/);
  bad({ more: 1 }, /command\.more is 1; allowed is no field of this name/);
  bad({ type: 'explode' }, /command\.type is "explode"; allowed is one of join, start/);
  bad({ type: 'toString' }, /command\.type/);
  const tooMany = { type: 'place-partitions', expectedEpoch: 1, replicaSets: Array(4097).fill([1]) };
  throwsFormatError(() => encodeCommand(tooMany as unknown as TopologyCommand), /a list of at most 4096/);
});

test('a state that breaks an invariant is neither encoded nor decoded', () => {
  const member = state.members.get(1);
  assert.ok(member !== undefined);
  const bad = (more: Partial<TopologyState>, violation: RegExp) => {
    throwsFormatError(() => encodeState({ ...state, ...more }), violation);
  };
  const members = (...all: Partial<typeof member>[]) => ({
    members: new Map(all.map((each) => ({ ...member, ...each })).map((each) => [each.number, each])),
    nextMember: 4,
  });
  const namespace = { name: 'n', id: 1, consistency: 'quorum', createdAtMs: 0 } as const;
  bad({ clusterId: 'x' }, /not 32 hexadecimal/);
  bad({ epoch: toEpoch(0) }, /the epoch is 0/);
  bad({ settings: { partitions: 3, replicationFactor: 1 } }, /not a power of two/);
  bad({ settings: { partitions: 2, replicationFactor: 0 } }, /replication factor is 0/);
  bad({ members: new Map() }, /no member has started/);
  bad({ members: new Map([[2, member]]) }, /filed under 2/);
  bad({ nextMember: 1 }, /not below the next/);
  bad(members({}, { number: 2, directoryId: 'other' }), /two members are named a/);
  bad(members({}, { number: 2, name: 'b' }), /two members have the directory dir/);
  bad(members({}, { number: 2, name: 'b', directoryId: 'o', state: 'waiting' }), /waits in incarnation 1/);
  bad(members({}, { number: 2, name: 'b', directoryId: 'o', incarnation: 0 }), /up in incarnation 0/);
  bad(members({ weight: 1001 }), /has the weight 1001/);
  const set = (replicas: number[], epoch = 1) => ({ replicas, epoch: toEpoch(epoch) });
  bad({ partitions: [set([1])] }, /1 partitions are placed/);
  bad({ partitions: [set([1]), set([])] }, /partition 1 \[\] has the wrong size/);
  bad({ partitions: [set([1]), set([1], 2)] }, /of epoch 2, the topology of 1/);
  bad({ partitions: [set([1]), set([2])] }, /names 2, which never was a member/);
  bad({ partitions: [set([1]), set([2])], nextMember: 3 }, /too few members left of \[2\]/);
  const wide = { settings: { partitions: 2, replicationFactor: 2 } };
  bad({ ...wide, partitions: [set([1]), set([1, 1])] }, /names a member twice/);
  bad({ namespaces: new Map() }, /default is missing/);
  const twice = new Map([...state.namespaces, ['n', namespace] as const]);
  bad({ namespaces: twice }, /two namespaces have the id 1/);
  bad({ namespaces: new Map([...state.namespaces, ['m', { ...namespace, id: 1 }]]) }, /filed under m/);
  bad({ nextNamespaceId: 1 }, /has the id 1, the next is 1/);
  const doubled = textOf(encodeState(state)).replace('"members":[', '"members":[{},').replace('[{}', '[{}');
  throwsFormatError(() => decodeState(bytesOf(doubled)), /state\.members\[0\]\.number is nothing/);
});

test('two members under one number are damage', () => {
  const text = textOf(encodeState(state));
  const [member] = /\{"number":1.*?\}/.exec(text) as RegExpExecArray;
  const doubled = text.replace(member, `${member},${member}`);
  throwsFormatError(() => decodeState(bytesOf(doubled)), /numbers two members alike/);
});
