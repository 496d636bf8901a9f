import type { MemberId } from '../raft/types.ts';
import { accuse } from './belief.ts';
import type { GossipPacket } from './messages.ts';
import { nextSequence, send, sendStrayPing } from './send.ts';
import { type GossipState, isOneOf, type Probe, rumourOf } from './state.ts';

/**
 * One probe at a time (SWIM section 3.1): a ping; without an answer in time, requests to others; without an answer
 * until its period ends, a suspicion. Every time is stretched by the local health (Lifeguard section 3.1).
 */
export function tickProbe(gossip: GossipState, nowMs: number): void {
  const { probe } = gossip;
  if (probe?.askAtMs !== undefined && probe.askAtMs <= nowMs) askOthers(gossip, probe, nowMs);
  if (probe !== undefined && probe.endMs <= nowMs) failProbe(gossip, probe, nowMs);
  if ((gossip.nextProbeMs ?? 0) <= nowMs) startProbe(gossip, nowMs);
}

export function probeDueMs({ probe, nextProbeMs }: GossipState): number {
  const startMs = nextProbeMs ?? 0;
  return probe === undefined ? startMs : Math.min(startMs, probe.askAtMs ?? probe.endMs);
}

/** From the target, or from somebody who was asked: either way the target lives. */
export function acknowledge(gossip: GossipState, ack: GossipPacket): void {
  const { probe } = gossip;
  if (probe === undefined || probe.sequence !== ack.sequence) return;
  if (ack.from !== probe.target && !probe.helpers.has(ack.from)) return;
  gossip.probe = undefined;
  gossip.health.improve();
}

/** Who was asked has no answer either, but its way to this node works. */
export function noteNack({ probe }: GossipState, nack: GossipPacket): void {
  if (probe?.sequence === nack.sequence) probe.silentHelpers.delete(nack.from);
}

function startProbe(gossip: GossipState, nowMs: number): void {
  const { options, health, order, counters } = gossip;
  counters.probes += 1;
  const target = order.next((member) => isOneOf(gossip, member, 'alive', 'suspect'));
  if (target === undefined) {
    // All seem dead, so there is nobody to be patient with: this node looks for them as fast as it may.
    gossip.nextProbeMs = nowMs + options.periodMs;
    pingDead(gossip);
    return;
  }
  const spanMs = options.periodMs * health.factor;
  gossip.nextProbeMs = nowMs + spanMs;
  const sequence = nextSequence(gossip);
  gossip.probe = {
    target,
    sequence,
    askAtMs: nowMs + options.probeTimeoutMs * health.factor,
    endMs: nowMs + spanMs,
    helpers: new Set(),
    silentHelpers: new Set(),
  };
  // Members take turns, so that they do not all look for the dead at once.
  const isTurn = (counters.probes + gossip.self) % options.deadProbePeriods === 0;
  if (isTurn) pingDead(gossip);
  send(gossip, target, { type: 'ping', sequence }, isTurn ? someDown(gossip) : []);
}

/** Dead members are looked for now and then, so that the sides of a healed partition find each other. */
function pingDead(gossip: GossipState): void {
  for (const member of gossip.order.some(1, (one) => isOneOf(gossip, one, 'dead')))
    sendStrayPing(gossip, member);
}

/** Others are told of one that is down now and then: it cannot speak for itself, and two sides may differ about it. */
function someDown(gossip: GossipState): readonly MemberId[] {
  return gossip.order.some(1, (member) => isOneOf(gossip, member, 'dead', 'left'));
}

function askOthers(gossip: GossipState, probe: Probe, nowMs: number): void {
  const { options, order, counters } = gossip;
  const { target, sequence } = probe;
  const targetAddress = rumourOf(gossip, target)?.address ?? '';
  probe.askAtMs = undefined;
  // A late tick must not take the time from those who are asked.
  probe.endMs = Math.max(probe.endMs, nowMs + 2 * options.probeTimeoutMs);
  gossip.nextProbeMs = Math.max(gossip.nextProbeMs ?? 0, probe.endMs);
  counters.probesIndirect += 1;
  const isHelper = (member: number): boolean => member !== target && isOneOf(gossip, member, 'alive');
  for (const helper of order.some(options.indirectProbes, isHelper)) {
    probe.helpers.add(helper);
    probe.silentHelpers.add(helper);
    const about = isOneOf(gossip, target, 'suspect') ? [target] : [];
    send(gossip, helper, { type: 'ping-request', sequence, target, targetAddress }, about);
  }
}

/**
 * Helpers that did not even say that they had no answer are a sign that this node's own link is bad. So is a silent
 * target where there was nobody to ask.
 */
function failProbe(gossip: GossipState, probe: Probe, nowMs: number): void {
  gossip.probe = undefined;
  gossip.counters.probesFailed += 1;
  if (probe.helpers.size > 0) gossip.health.worsen(probe.silentHelpers.size);
  else if (isOneOf(gossip, probe.target, 'alive')) gossip.health.worsen();
  accuse(gossip, probe.target, nowMs);
}
