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
  /** Operations a second, for the cores that the load had. */
  readonly perSecond: number;
  /** Foretold over measured throughput. */
  readonly ratio: number;
};

/** Between processes of one machine; the work of it is in the costs of frames and clients. */
const LOOPBACK_MICROS = 5;

/** All nodes and the load generator share the cores of this machine. */
export function predictReal({ costs, cores, loads, idleMicros }: Measured): readonly Prediction[] {
  return loads.map((load) => {
    const { kind, nodes, connections, coresUsed } = load;
    const idle = idleMicros[nodes] ?? costs.idleMicros;
    const simulated = simulate(
      {
        ...{ nodes, kind, routing: 'any node', cores: { type: 'shared', count: cores }, seed: 1 },
        clientsPerNode: connections / nodes,
        networkMicros: LOOPBACK_MICROS,
        background: { leaderMicros: idle, otherMicros: idle },
        warmUpMicros: 200_000,
        measuredMicros: 1_000_000,
      },
      costs,
    );
    const cpuMicros = simulated.mainMicros * (1 + costs.otherShare) + simulated.storageMicros;
    const used = (simulated.perSecond * (cpuMicros + costs.generatorMicros[kind])) / 1e6;
    const perSecond = simulated.perSecond * Math.min(1, coresUsed / used);
    const measuredMicros = load.mainMicros + load.storageMicros + load.otherMicros;
    return { load, simulated, cpuMicros, measuredMicros, perSecond, ratio: perSecond / load.perSecond };
  });
}
