import type { Measured } from './page.ts';
import type { RealLoad } from './real.ts';
import { type Simulated, simulate } from './simulate.ts';

/** A real load, and what the simulation says of it. */
export type Prediction = {
  readonly load: RealLoad;
  readonly simulated: Simulated;
  /** Of all threads of the nodes, for an operation. */
  readonly cpuMicros: number;
  readonly measuredMicros: number;
  /** Operations a second, with the cores that others left. */
  readonly perSecond: number;
  /** Foretold over measured throughput. */
  readonly ratio: number;
};

/** Between processes of one machine; the work of it is in the costs of frames and clients. */
const LOOPBACK_MICROS = 5;
/** Who else is there never had all. */
const LEFT_CORES_MIN = 0.25;

/** All nodes and the load generator share the cores of this machine. */
export function predictReal({ costs, cores, loads, idleMicros }: Measured): readonly Prediction[] {
  return loads.map((load) => {
    const { kind, nodes, connections, coresOfOthers } = load;
    const pace = cores / Math.max(LEFT_CORES_MIN, cores - coresOfOthers);
    const idle = idleMicros[nodes] ?? costs.idleMicros;
    const simulated = simulate(
      {
        ...{ nodes, kind, routing: 'any node', cores: { type: 'shared', count: cores, pace }, seed: 1 },
        clientsPerNode: connections / nodes,
        networkMicros: LOOPBACK_MICROS,
        background: { leaderMicros: idle, otherMicros: idle },
        warmUpMicros: 200_000,
        measuredMicros: 1_000_000,
      },
      costs,
    );
    const cpuMicros = simulated.mainMicros * (1 + costs.otherShare) + simulated.storageMicros;
    const { perSecond } = simulated;
    const measuredMicros = load.mainMicros + load.storageMicros + load.otherMicros;
    return { load, simulated, cpuMicros, measuredMicros, perSecond, ratio: perSecond / load.perSecond };
  });
}
