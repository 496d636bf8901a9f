import { createPrng, type Prng } from '../../core/prng/prng.ts';
import type { Weather } from '../network/network.ts';
import { type DataPlan, drawDataPlan } from './data-plan.ts';
import { FAULT_NAMES, type FaultName } from './fault-names.ts';

/** Everything about a run that is decided before it begins. */
export type Plan = {
  readonly seed: number;
  readonly nodes: number;
  /** Virtual time with faults; convergence comes after it. */
  readonly durationMs: number;
  /** The faults that happen, with the mean time between two of a kind. */
  readonly faults: readonly PlannedFault[];
  readonly operationEveryMs: number;
  readonly weather: Weather;
  readonly machines: readonly MachinePlan[];
  /** Whether everything passes through the codec of the peers. */
  readonly isEncoded: boolean;
  readonly settings: PlannedSettings;
  /** Of the cluster; partitions are placed once as many members are up. */
  readonly replicationFactor: number;
  /** Undefined: nobody asks for data. */
  readonly data: DataPlan | undefined;
};

export type PlannedFault = { readonly name: FaultName; readonly everyMs: number };

export type MachinePlan = {
  readonly clockOffsetMs: number;
  readonly clockRate: number;
  readonly startMs: number;
  readonly syncDelayMs: number;
  readonly zone: string;
};

export type PlannedSettings = {
  readonly 'raft.electionTimeoutMs': number;
  readonly 'raft.snapshotEntries': number;
  readonly 'raft.entriesKept': number;
  readonly 'cluster.votersMax': number;
  readonly 'cluster.replaceVoterAfterMs': number;
};

/** What a run is told to do otherwise than its seed says, e.g. to find a shorter way to the same failure. */
export type PlanChanges = {
  readonly nodes?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly without?: readonly PlanPart[] | undefined;
};

/** What a run can do without. */
export type PlanPart = FaultName | 'data';

export const NODES_MAX = 9;

/** Not where partitions are placed and nobody asks for data: the world would not know what the disks held. */
const LOSES_DISKS: readonly FaultName[] = ['wipe', 'old-disk', 'bit-flip'];
/** With data a disk is lost as a whole, and one at a time (`SimWorld.canLose`). */
const LOSES_TOO_MUCH: readonly FaultName[] = ['old-disk', 'bit-flip'];

export function drawPlan(seed: number, changes: PlanChanges = {}): Plan {
  const { durationMs, without = [] } = changes;
  const prng = createPrng(seed);
  const drawnNodes = 1 + prng.below(NODES_MAX);
  const drawnMs = 10_000 + prng.below(50_000);
  const drawnFactor = prng.below(5) === 0 ? 1 + prng.below(3) : NODES_MAX;
  // Of a generator of its own: what the topology goes through stays the same without data.
  const data = without.includes('data') ? undefined : drawDataPlan(createPrng(seed + DATA_SEED));
  const nodes = changes.nodes ?? data?.nodes ?? drawnNodes;
  const replicationFactor = data?.replicationFactor ?? drawnFactor;
  const forbidden = data ? LOSES_TOO_MUCH : replicationFactor <= nodes ? LOSES_DISKS : [];
  const faults = drawFaults(prng).filter(({ name }) => !without.includes(name) && !forbidden.includes(name));
  const rest = {
    operationEveryMs: 50 + prng.below(1000),
    weather: drawWeather(prng),
    isEncoded: prng.below(8) === 0,
    settings: drawSettings(prng),
  };
  const zones = 1 + prng.below(4);
  const drawnMachines = Array.from({ length: NODES_MAX }, () => drawMachine(prng, zones));
  const machines = data ? drawnMachines.map((machine) => withCloseClock(machine, data)) : drawnMachines;
  return {
    seed,
    nodes,
    // Where partitions move all the time a short run has seen much, and costs much.
    durationMs: durationMs ?? (data?.moveEveryMs === undefined ? drawnMs : 5000 + Math.floor(drawnMs / 4)),
    faults,
    machines,
    replicationFactor,
    data,
    ...rest,
  };
}

const DATA_SEED = 0x5eed;

/** Versions are stamped only where clocks are about right; those drawn are off by up to an hour. */
function withCloseClock(machine: MachinePlan, { clockOffsetMsMax }: DataPlan): MachinePlan {
  const clockOffsetMs = (machine.clockOffsetMs / 3_600_000) * clockOffsetMsMax;
  return { ...machine, clockOffsetMs, clockRate: 1 + (machine.clockRate - 1) / 100 };
}

/** Each seed has a few kinds of faults at rates of its own, so that rare combinations come up (swarm testing). */
function drawFaults(prng: Prng): PlannedFault[] {
  const share = prng.unit();
  const calmness = 1 + prng.below(4);
  return FAULT_NAMES.map((name) => ({
    name,
    isChosen: prng.unit() < share,
    everyMs: calmness * (1000 + prng.below(14_000)),
  }))
    .filter(({ isChosen }) => isChosen)
    .map(({ name, everyMs }) => ({ name, everyMs }));
}

function drawWeather(prng: Prng): Weather {
  const isBad = prng.below(2) === 0;
  const rate = (most: number): number => (isBad ? prng.unit() * prng.unit() * most : 0);
  return {
    lossRate: rate(0.2),
    duplicateRate: rate(0.2),
    delayMsMin: 0.2,
    delayMsMean: prng.below(3) === 0 ? 20 * prng.unit() : 1,
    stallRate: rate(0.1),
    stallMs: 1000,
  };
}

function drawMachine(prng: Prng, zones: number): MachinePlan {
  const isOff = prng.below(3) === 0;
  return {
    clockOffsetMs: isOff ? Math.floor((prng.unit() - 0.5) * 7_200_000) : 0,
    clockRate: 1 + (prng.unit() - 0.5) * (prng.below(4) === 0 ? 0.1 : 0.002),
    startMs: prng.below(2) === 0 ? 0 : prng.below(5000),
    syncDelayMs: prng.below(4) === 0 ? 30 : 2,
    zone: `zone-${prng.below(zones)}`,
  };
}

function drawSettings(prng: Prng): PlannedSettings {
  return {
    'raft.electionTimeoutMs': 500 + 100 * prng.below(10),
    'raft.snapshotEntries': 10 + prng.below(40),
    'raft.entriesKept': prng.below(20),
    'cluster.votersMax': prng.below(3) === 0 ? 3 : 5,
    'cluster.replaceVoterAfterMs': 2000 + prng.below(10_000),
  };
}
