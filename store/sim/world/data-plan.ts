import type { Config } from '../../config/settings.ts';
import type { Prng } from '../../core/prng/prng.ts';

/** What clients do with the data of a run, and the settings that make its background work happen within it. */
export type DataPlan = {
  readonly operationEveryMs: number;
  /** Mean time between spells in which what one machine sends is slow; undefined: there are none. */
  readonly slowEveryMs: number | undefined;
  /** Mean time between drains, or ends of them. */
  readonly drainEveryMs: number;
  /** Mean time between moves that somebody asks for, or cancels; undefined: nobody does. */
  readonly moveEveryMs: number | undefined;
  /** Few, so that operations meet. */
  readonly keys: number;
  /** Keys whose values expire. */
  readonly expiringKeys: number;
  readonly valueBytesMax: number;
  /** Members that a partition has, and members that there are. */
  readonly replicationFactor: number;
  readonly nodes: number;
  /** How far clocks are off at first, and how far they jump. */
  readonly clockOffsetMsMax: number;
  readonly clockJumpMsMax: number;
  readonly settings: Partial<Config>;
};

/** Two seeds in three have data. */
export function drawDataPlan(prng: Prng): DataPlan | undefined {
  const isChosen = prng.below(3) > 0;
  // In every second run rounds are so quick that they overtake requests.
  const isQuick = prng.below(2) === 0;
  const skewMsMax = isQuick ? 5 + prng.below(40) : 100 + prng.below(400);
  const replicationFactor = [1, 2, 3, 3, 3, 3, 3, 3][prng.below(8)] as number;
  const clocks = drawClocks(prng, skewMsMax);
  const plan: DataPlan = {
    operationEveryMs: isQuick && prng.below(4) === 0 ? 3 + prng.below(10) : 10 + prng.below(150),
    slowEveryMs: prng.below(3) === 0 ? undefined : 500 + prng.below(4000),
    drainEveryMs: 2000 + prng.below(15_000),
    keys: 1 + prng.below(isQuick ? 3 : 9),
    expiringKeys: prng.below(4),
    valueBytesMax: prng.below(3) === 0 ? 2000 : 40,
    replicationFactor,
    nodes: replicationFactor + prng.below(replicationFactor === 1 ? 1 : 3),
    moveEveryMs: undefined,
    ...clocks,
    settings: { ...drawDataSettings(prng, skewMsMax), ...(isQuick ? drawQuickRounds(prng, skewMsMax) : {}) },
  };
  return isChosen ? withMoves(plan, prng) : undefined;
}

/**
 * In every second run partitions move all the time: few partitions, and members to spare. With few keys operations meet moves; with many what
 * some replica missed is not made good by the next operation before a move has to.
 */
function withMoves(plan: DataPlan, prng: Prng): DataPlan {
  if (prng.below(2) === 0) return plan;
  return {
    ...plan,
    moveEveryMs: 50 + prng.below(600),
    operationEveryMs: 5 + prng.below(25),
    keys: prng.below(2) === 0 ? 1 + prng.below(4) : 10 + prng.below(30),
    nodes: plan.replicationFactor + 1 + prng.below(3),
    settings: {
      ...plan.settings,
      'cluster.partitions': [2, 4, 8][prng.below(3)] as number,
      // Who keeps no hints leaves it to the moves to bring what was missed.
      ...(prng.below(2) === 0 ? {} : { 'hints.bytesMax': 0 }),
    },
  };
}

/** Mostly as far apart as the store allows for; now and then beyond that. */
function drawClocks(prng: Prng, skewMsMax: number) {
  const isBad = prng.below(8) === 0;
  const factor = isBad ? 4 * prng.below(40) : 0.4;
  return { clockOffsetMsMax: factor * skewMsMax, clockJumpMsMax: factor * skewMsMax };
}

function drawQuickRounds(prng: Prng, skewMsMax: number): Partial<Config> {
  return {
    'replication.propagationMs': Math.max(20, 2 * skewMsMax) + prng.below(30),
    'antiEntropy.intervalMs': 20 + prng.below(200),
    'antiEntropy.roundIntervalMs': 10 + prng.below(100),
    'expiry.intervalMs': 10 + prng.below(100),
  };
}

function drawDataSettings(prng: Prng, skewMsMax: number): Partial<Config> {
  return {
    'cluster.partitions': [4, 8, 16][prng.below(3)] as number,
    'clock.skewMsMax': skewMsMax,
    'clock.aheadMs': 50 + prng.below(400),
    'replication.requestTimeoutMs': 500 + prng.below(4000),
    'replication.hedgeMsMin': 5 + prng.below(50),
    // At least twice the skew: a floor lies below every clock.
    'replication.propagationMs': 2 * skewMsMax + prng.below(1500),
    'replication.versionCacheEntriesMax': prng.below(3) === 0 ? prng.below(4) : 65_536,
    'hints.bytesMax': [0, 500 + prng.below(5000), 1 << 20][prng.below(3)] as number,
    'hints.ageMsMax': 1000 + prng.below(20_000),
    'antiEntropy.intervalMs': 100 + prng.below(1500),
    'antiEntropy.roundIntervalMs': 200 + prng.below(3000),
    'expiry.intervalMs': 100 + prng.below(1000),
    'cluster.rebalanceAfterMs': prng.below(3000),
    'cluster.replaceMemberAfterMs': 1000 + prng.below(20_000),
    'moves.partitionsMax': 1 + prng.below(4),
    'moves.bytesPerSecond': prng.below(3) === 0 ? 1024 : 1 << 26,
  };
}
