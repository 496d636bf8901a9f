/** Every limit of gossip; docs/gossip.md gives the reasons. */
export type GossipOptions = {
  /** Between two probes of this node. */
  readonly periodMs: number;
  /** For a direct answer, before others are asked; at most a third of the period, so that they can answer too. */
  readonly probeTimeoutMs: number;
  /** How many others are asked to probe for this node. */
  readonly indirectProbes: number;
  /** The shortest suspicion, in periods per decade of members. */
  readonly suspicionFactor: number;
  /** The longest suspicion, which nobody confirmed, as a multiple of the shortest. */
  readonly suspicionFactorMax: number;
  /** A rumour of who lives is sent this often, times the natural logarithm of the members plus one. */
  readonly spreadFactor: number;
  /** The same for news of epoch and load, which matter less and are more. */
  readonly newsFactor: number;
  /** Rumours of a packet, by number and by size; the sender's own always fits. */
  readonly rumoursMax: number;
  readonly rumourBytesMax: number;
  /** The worst local health: probes are then 1 + this times slower. */
  readonly healthMax: number;
  /** One dead member is pinged every so many probes. */
  readonly deadProbePeriods: number;
  /** Members that a leaving node tells at once. */
  readonly leavePings: number;
  /** Probes under way for others; requests above it are answered nack. */
  readonly relaysMax: number;
  /** A change of load below this is no news. */
  readonly loadStep: number;
};

export const GOSSIP_DEFAULTS: GossipOptions = {
  periodMs: 1000,
  probeTimeoutMs: 300,
  indirectProbes: 3,
  suspicionFactor: 4,
  suspicionFactorMax: 6,
  spreadFactor: 3,
  newsFactor: 2,
  rumoursMax: 16,
  rumourBytesMax: 1400,
  healthMax: 8,
  deadProbePeriods: 5,
  leavePings: 5,
  relaysMax: 256,
  loadStep: 0.1,
};

/** A tick that is later than this was held up by a pause; timers alone are late by less. */
const PAUSE_MS_MIN = 200;

export function pauseMs({ periodMs }: GossipOptions): number {
  return Math.max(PAUSE_MS_MIN, periodMs / 2);
}

/** Throws where a limit makes no sense. */
export function checkOptions(options: GossipOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isFinite(value) || value < 0)
      throw new RangeError(`gossip option ${name} is ${value}: give a number from 0`);
  }
  const { periodMs, probeTimeoutMs, rumoursMax, suspicionFactorMax } = options;
  if (probeTimeoutMs <= 0 || probeTimeoutMs * 3 > periodMs) {
    throw new RangeError(
      `gossip option probeTimeoutMs is ${probeTimeoutMs}: give more than 0 and at most a third of periodMs (${periodMs})`,
    );
  }
  if (rumoursMax < 1) throw new RangeError('gossip option rumoursMax is below 1: give 1 or more');
  if (suspicionFactorMax < 1)
    throw new RangeError('gossip option suspicionFactorMax is below 1: give 1 or more');
}
