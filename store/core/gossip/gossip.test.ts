import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GossipNetwork } from '../../sim/gossip/network.ts';
import { createPrng } from '../prng/prng.ts';
import type { MemberId } from '../raft/types.ts';
import { toEpoch } from '../topology/types.ts';
import { Dissemination, rumourBytes, sendsMax } from './dissemination.ts';
import { Gossip, type RegisteredMember } from './gossip.ts';
import type { GossipBody, GossipPacket, Liveness, Rumour } from './messages.ts';
import { GOSSIP_DEFAULTS, type GossipOptions } from './options.ts';
import { suspicionMs } from './suspicion.ts';

const address = (member: MemberId): string => `node-${member}:7401`;

function rumour(member: MemberId, liveness: Liveness = 'alive', incarnation = 1, refutation = 1): Rumour {
  const said = { member, liveness, incarnation, refutation, address: address(member) };
  return { ...said, epoch: toEpoch(0), load: 0, ...(liveness === 'suspect' ? { accusers: [9] } : {}) };
}

const registered = (count: number): RegisteredMember[] =>
  Array.from({ length: count }, (_, i) => ({ member: i + 1, address: address(i + 1), incarnation: 1 }));

/** Member 1 of `count`, from time 0. */
function gossipOf(count: number, options: Partial<GossipOptions> = {}): Gossip {
  const gossip = new Gossip({ ...GOSSIP_DEFAULTS, ...options }, { random: createPrng(1), self: rumour(1) });
  gossip.setMembers(registered(count), 0);
  return gossip;
}

const packet = (from: MemberId, body: GossipBody, ...rumours: Rumour[]): GossipPacket => ({
  ...body,
  from,
  rumours,
});
const ping = (from: MemberId, ...rumours: Rumour[]): GossipPacket =>
  packet(from, { type: 'ping', sequence: 1 }, ...rumours);
const livenessOf = (gossip: Gossip, member: MemberId) => gossip.view().get(member)?.rumour.liveness;

/** Runs to the next thing that is due, until `until` says so; answers nothing. */
function runUntil(gossip: Gossip, nowMs: number, isDone: () => boolean): number {
  let now = nowMs;
  while (!isDone()) {
    now = Math.max(now + 1, gossip.nextDueMs(now));
    assert.ok(now < 1_000_000, 'it never came to that');
    gossip.tick(now);
  }
  return now;
}

test('scenario 22: a silent node is suspected and shown within seconds, and refutes when it is alive', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const prng = createPrng(seed);
    const delayMs = (): number => 1 + prng.below(10);
    const network = new GossipNetwork({ gossip: GOSSIP_DEFAULTS, prng, delayMs, isLost: () => false });
    network.populate(5);
    network.runFor(10_000);
    const others = [1, 2, 4, 5].map((member) => network.host(member).gossip);
    network.pause(3, 8_000);
    network.runFor(6_000);
    for (const gossip of others) assert.notEqual(livenessOf(gossip, 3), 'alive', `seed ${seed}`);
    network.runFor(5_000);
    for (const gossip of others) assert.equal(livenessOf(gossip, 3), 'alive', `seed ${seed}`);
    assert.ok(network.host(3).gossip.counters.refutations > 0);
  }
});

test('setMembers: who is not in the topology is forgotten, and rumours of strangers are dropped', () => {
  const gossip = gossipOf(3);
  gossip.step(ping(2, rumour(3, 'suspect'), rumour(8)), 10);
  assert.deepEqual([...gossip.view().keys()], [1, 2, 3]);
  gossip.setMembers(registered(2), 20);
  gossip.step(ping(2, rumour(3, 'dead')), 30);
  assert.deepEqual([...gossip.view().keys()], [1, 2]);
  gossip.takePackets();
  runUntil(gossip, 30, () => gossip.counters.probes === 5);
  assert.ok(gossip.takePackets().every(({ to }) => to === 2));
});

test('setMembers: of a member that was forgotten nothing is left to tell', () => {
  const gossip = gossipOf(3);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(3, 'dead')), 10);
  gossip.setMembers(registered(2), 20);
  gossip.setMembers(registered(3), 30);
  gossip.step(ping(2), 40);
  const [answer] = gossip.takePackets();
  assert.deepEqual(
    answer?.packet.rumours.map(({ member }) => member),
    [1],
  );
});

test('setMembers: a later incarnation raises the dead, an earlier one does not', () => {
  const gossip = gossipOf(3);
  gossip.step(ping(2, rumour(3, 'dead', 2)), 10);
  gossip.setMembers(registered(3), 20);
  assert.equal(livenessOf(gossip, 3), 'dead');
  const moved = { member: 3, address: 'elsewhere:1', incarnation: 3 };
  gossip.setMembers([...registered(2), moved], 30);
  assert.deepEqual(gossip.view().get(3), {
    rumour: { ...rumour(3, 'alive', 3, 0), address: 'elsewhere:1' },
    sinceMs: 30,
  });
});

test('setMembers: a new address of one that was not heard yet is taken, else its own word counts', () => {
  const gossip = gossipOf(3);
  gossip.step(ping(2, rumour(2)), 10);
  gossip.setMembers(
    registered(3).map((one) => ({ ...one, address: 'elsewhere:1' })),
    20,
  );
  assert.equal(gossip.view().get(2)?.rumour.address, address(2));
  assert.equal(gossip.view().get(3)?.rumour.address, 'elsewhere:1');
});

test('step: a ping of a member that the topology here lacks is answered at the address that it gives', () => {
  const gossip = gossipOf(2);
  gossip.step(ping(7, rumour(7)), 10);
  const [answer] = gossip.takePackets();
  assert.deepEqual([answer?.to, answer?.address, answer?.packet.type], [7, address(7), 'ack']);
});

test('step: whoever tells what is out of date is told better in the answer', () => {
  const gossip = gossipOf(3);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(3, 'alive', 1, 5)), 10);
  for (let i = 0; i < 20; i++) gossip.step(ping(2), 20);
  gossip.takePackets();
  gossip.step(ping(2, rumour(3, 'suspect', 1, 4)), 30);
  assert.deepEqual(gossip.takePackets()[0]?.packet.rumours[1], rumour(3, 'alive', 1, 5));
});

test('step: an older life of this directory is not defended, the own one is', () => {
  const gossip = gossipOf(2);
  gossip.step(ping(2, rumour(1, 'dead', 2)), 10);
  assert.equal(gossip.counters.refutations, 0);
  gossip.step(ping(2, rumour(1, 'dead', 1, 7)), 20);
  assert.equal(gossip.view().get(1)?.rumour.refutation, 8);
  assert.equal(gossip.health(), 1);
});

test('a silent member is suspected, then dead; confirmations of others shorten that', () => {
  const alone = gossipOf(5);
  const suspectedMs = runUntil(alone, 0, () =>
    [2, 3, 4, 5].some((one) => livenessOf(alone, one) === 'suspect'),
  );
  const target = [2, 3, 4, 5].find((one) => livenessOf(alone, one) === 'suspect') as MemberId;
  assert.deepEqual(alone.view().get(target)?.rumour.accusers, [1]);
  assert.equal(alone.view().get(target)?.sinceMs, suspectedMs);
  const others = [6, 7, 8];
  alone.step(ping(9, { ...rumour(target, 'suspect', 1, 0), accusers: others }), suspectedMs);
  assert.deepEqual(alone.view().get(target)?.rumour.accusers, [1, ...others]);
  const deadMs = runUntil(alone, suspectedMs, () => livenessOf(alone, target) === 'dead');
  assert.equal(deadMs - suspectedMs, suspicionMs(GOSSIP_DEFAULTS, 5, 4));
});

test('suspicionMs: from 24 periods down to 4 by confirmations, more by decade of members (Lifeguard 3.3)', () => {
  const rounded = [1, 2, 3, 4].map((accusers) => Math.round(suspicionMs(GOSSIP_DEFAULTS, 5, accusers)));
  assert.deepEqual(rounded, [24_000, 14_000, 8_150, 4_000]);
  assert.equal(suspicionMs(GOSSIP_DEFAULTS, 1000, 4), 12_000);
  assert.equal(suspicionMs(GOSSIP_DEFAULTS, 2, 1), 4_000);
  assert.equal(suspicionMs(GOSSIP_DEFAULTS, 3, 2), 4_000);
});

test('a confirmation that shortens a suspicion below its age ends it now, and is no pause', () => {
  const gossip = gossipOf(5);
  gossip.step(ping(2, { ...rumour(3, 'suspect'), accusers: [2] }), 0);
  gossip.step(ping(2, rumour(2)), 1);
  runUntil(gossip, 1, () => gossip.nextDueMs(0) > 20_000 || gossip.counters.probes === 3);
  const nowMs = gossip.nextDueMs(0);
  gossip.step(ping(4, { ...rumour(3, 'suspect'), accusers: [2, 4, 5, 6] }), Math.max(nowMs, 5_000));
  gossip.tick(Math.max(nowMs, 5_000));
  assert.equal(livenessOf(gossip, 3), 'dead');
  assert.equal(gossip.counters.pauses, 0);
});

test('health: a nack says that the own link works, silence of the asked that it may not (Lifeguard 3.1)', () => {
  const run = (doNack: boolean): number => {
    const gossip = gossipOf(6);
    const now = runUntil(gossip, 0, () => gossip.counters.probesIndirect === 1);
    for (const { to, packet: sent } of gossip.takePackets())
      if (sent.type === 'ping-request' && doNack)
        gossip.step(packet(to, { type: 'nack', sequence: sent.sequence }), now);
    runUntil(gossip, now, () => gossip.counters.probesFailed === 1);
    return gossip.health();
  };
  assert.equal(run(true), 0);
  assert.equal(run(false), GOSSIP_DEFAULTS.indirectProbes);
});

test('health stretches probes, and an answered probe improves it', () => {
  const gossip = gossipOf(2);
  for (const refutation of [1, 2, 3]) gossip.step(ping(2, rumour(1, 'suspect', 1, refutation)), 0);
  assert.equal(gossip.health(), 3);
  gossip.takePackets();
  const startMs = runUntil(gossip, 0, () => gossip.counters.probes === 1);
  assert.equal(gossip.nextDueMs(startMs) - startMs, 4 * GOSSIP_DEFAULTS.probeTimeoutMs);
  const [sent] = gossip.takePackets();
  gossip.step(packet(2, { type: 'ack', sequence: sent?.packet.sequence ?? 0 }), startMs + 5);
  assert.equal(gossip.health(), 2);
  assert.equal(gossip.nextDueMs(startMs) - startMs, 4 * GOSSIP_DEFAULTS.periodMs);
});

/** Member 1 with its first probe under way since `startMs`. */
function probing(count: number) {
  const gossip = gossipOf(count);
  const startMs = runUntil(gossip, 0, () => gossip.counters.probes === 1);
  const [sent] = gossip.takePackets();
  assert.ok(sent !== undefined);
  return { gossip, startMs, target: sent.to, sequence: sent.packet.sequence };
}

test('an ack of somebody who was not asked proves nothing', () => {
  const { gossip, startMs, target, sequence } = probing(3);
  gossip.step(packet(target === 2 ? 3 : 2, { type: 'ack', sequence }), startMs + 1);
  runUntil(gossip, startMs + 1, () => gossip.counters.probesIndirect === 1);
  assert.equal(gossip.counters.probes, 1);
});

test('a late tick does not take the time from those who are asked', () => {
  const { gossip, startMs } = probing(3);
  const { periodMs, probeTimeoutMs } = GOSSIP_DEFAULTS;
  const lateMs = startMs + 0.75 * periodMs;
  gossip.tick(lateMs);
  gossip.tick(startMs + periodMs);
  assert.deepEqual([gossip.counters.pauses, gossip.counters.probesFailed], [0, 0]);
  gossip.tick(lateMs + 2 * probeTimeoutMs);
  assert.equal(gossip.counters.probesFailed, 1);
});

test('the probe of a member that the topology lost is given up', () => {
  const { gossip, startMs, target } = probing(3);
  gossip.setMembers(
    registered(3).filter(({ member }) => member !== target),
    startMs + 1,
  );
  gossip.tick(startMs + GOSSIP_DEFAULTS.probeTimeoutMs);
  assert.equal(gossip.counters.probesIndirect, 0);
});

test('a node that stood still accuses nobody for that time, and lets suspicions run on', () => {
  const { gossip, startMs } = probing(3);
  gossip.step(ping(2, { ...rumour(3, 'suspect'), accusers: [2] }), startMs);
  const wokeMs = startMs + 60_000;
  gossip.tick(wokeMs);
  assert.deepEqual([gossip.counters.pauses, gossip.counters.probesIndirect], [1, 0]);
  assert.deepEqual([livenessOf(gossip, 2), livenessOf(gossip, 3)], ['alive', 'suspect']);
  assert.equal(gossip.health(), 1);
  gossip.tick(wokeMs + GOSSIP_DEFAULTS.probeTimeoutMs);
  assert.equal(gossip.counters.pauses, 1);
});

test('a suspicion of what the member said after it refuted the last one has its whole time', () => {
  const gossip = gossipOf(5);
  const accusers = [2, 3, 4, 5];
  gossip.step(ping(2, { ...rumour(3, 'suspect', 1, 1), accusers }), 0);
  gossip.step(ping(2, { ...rumour(3, 'suspect', 1, 2), accusers }), 300);
  const deadMs = runUntil(gossip, 300, () => livenessOf(gossip, 3) === 'dead');
  assert.equal(deadMs, 300 + suspicionMs(GOSSIP_DEFAULTS, 5, 4));
});

test('a relay passes a late answer on after its nack, and is limited', () => {
  const gossip = gossipOf(3, { relaysMax: 1 });
  const request = (sequence: number): GossipPacket =>
    packet(2, { type: 'ping-request', sequence, target: 3, targetAddress: 'given:1' });
  gossip.tick(0);
  gossip.takePackets();
  gossip.step(request(40), 1);
  gossip.step(request(41), 1);
  const [asked, refused] = gossip.takePackets();
  assert.deepEqual([asked?.to, asked?.address, asked?.packet.type], [3, 'given:1', 'ping']);
  assert.deepEqual([refused?.packet.type, refused?.packet.sequence], ['nack', 41]);
  gossip.tick(1 + GOSSIP_DEFAULTS.probeTimeoutMs);
  const nack = gossip.takePackets().find((one) => one.packet.type === 'nack');
  assert.equal(nack?.packet.sequence, 40);
  gossip.step(packet(2, { type: 'ack', sequence: asked?.packet.sequence ?? 0 }), 390);
  assert.deepEqual(gossip.takePackets(), []);
  gossip.step(packet(3, { type: 'ack', sequence: asked?.packet.sequence ?? 0 }), 400);
  const [late] = gossip.takePackets();
  assert.deepEqual([late?.to, late?.packet.type, late?.packet.sequence], [2, 'ack', 40]);
});

test('each rumour is sent about lambda log n times, in packets of bounded number and size', () => {
  const count = 100;
  const gossip = gossipOf(count);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, ...registered(count).slice(2).map(toDead)), 0);
  const sends = new Map<MemberId, number>();
  for (let i = 0; i < 2000; i++) gossip.step(ping(2, rumour(2)), 1);
  for (const { packet: sent } of gossip.takePackets()) {
    const bytes = sent.rumours.reduce((sum, one) => sum + rumourBytes(one), 0);
    assert.ok(sent.rumours.length <= GOSSIP_DEFAULTS.rumoursMax && bytes <= GOSSIP_DEFAULTS.rumourBytesMax);
    for (const { member } of sent.rumours.slice(1)) sends.set(member, (sends.get(member) ?? 0) + 1);
  }
  assert.equal(sends.size, count - 2);
  for (const times of sends.values()) assert.equal(times, sendsMax(GOSSIP_DEFAULTS.spreadFactor, count));
});

const toDead = ({ member }: RegisteredMember): Rumour => rumour(member, 'dead');

test('who lives is told before other news, and what was told less often before what was', () => {
  const gossip = gossipOf(50, { rumoursMax: 2 });
  const next = (): MemberId | undefined => {
    gossip.step(ping(2, rumour(2)), 1);
    return gossip.takePackets()[0]?.packet.rumours[1]?.member;
  };
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(3)), 0);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(4, 'dead')), 0);
  assert.deepEqual([next(), next()], [4, 4]);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(5, 'dead')), 0);
  assert.deepEqual([next(), next()], [5, 5]);
});

test('what was urgent stays so when other news of the same member come', () => {
  const gossip = gossipOf(50, { rumoursMax: 2 });
  const moved = { ...rumour(4), address: 'elsewhere:1' };
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(3), moved), 0);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, { ...moved, refutation: 2, epoch: toEpoch(9) }), 0);
  gossip.step(ping(2, rumour(2)), 1);
  assert.equal(gossip.takePackets()[0]?.packet.rumours[1]?.member, 4);
});

test('Dissemination forgets', () => {
  const dissemination = new Dissemination(GOSSIP_DEFAULTS);
  dissemination.add(2, true);
  dissemination.add(3, false);
  for (const member of [2, 3]) dissemination.forget(member);
  assert.equal(dissemination.size, 0);
});

test('updateSelf raises the refutation for news, and a small change of load is none', () => {
  const gossip = gossipOf(2);
  gossip.updateSelf({ load: 0.05 });
  assert.equal(gossip.view().get(1)?.rumour.refutation, 1);
  gossip.updateSelf({ load: 0.5, epoch: toEpoch(4) });
  gossip.updateSelf({ load: 0.5, epoch: toEpoch(4) });
  assert.deepEqual(gossip.view().get(1)?.rumour, { ...rumour(1, 'alive', 1, 2), load: 0.5, epoch: 4 });
});

test('leave tells some at once, and who left does not argue', () => {
  const gossip = gossipOf(9);
  gossip.leave(50);
  const told = gossip.takePackets();
  assert.equal(told.length, GOSSIP_DEFAULTS.leavePings);
  for (const { packet: sent } of told) assert.deepEqual(sent.rumours[0], rumour(1, 'left', 1, 2));
  gossip.step(ping(2, rumour(1, 'dead', 1, 5)), 60);
  assert.deepEqual(gossip.view().get(1), { rumour: rumour(1, 'left', 1, 2), sinceMs: 50 });
});

test('heard: a later incarnation is believed, a suspect is asked, an earlier one counts for nothing', () => {
  const gossip = gossipOf(3);
  gossip.step(packet(2, { type: 'ack', sequence: 0 }, rumour(3, 'suspect')), 0);
  gossip.heard(3, 1, 'new:1', 10);
  const [question] = gossip.takePackets();
  assert.deepEqual([question?.to, question?.address], [3, 'new:1']);
  assert.deepEqual(question?.packet.rumours[1], rumour(3, 'suspect'));
  gossip.heard(3, 2, 'new:1', 20);
  gossip.heard(3, 1, 'old:1', 30);
  assert.deepEqual(gossip.view().get(3)?.rumour, { ...rumour(3, 'alive', 2, 0), address: 'new:1' });
});

test('options that make no sense are refused by name', () => {
  assert.throws(() => gossipOf(2, { probeTimeoutMs: 400 }), /probeTimeoutMs is 400: .* at most a third/);
  assert.throws(() => gossipOf(2, { rumoursMax: 0 }), /rumoursMax/);
  assert.throws(() => gossipOf(2, { periodMs: Number.NaN }), /periodMs is NaN/);
});
