import { createPrng, type Prng } from '../../../store/core/prng/prng.ts';
import { planPlacement } from '../../../store/core/ring/placement.ts';
import type { Kind } from '../budget/resp-load.ts';
import { quantile } from '../report.ts';
import { Clockwork } from './clockwork.ts';
import { Cores } from './cores.ts';
import type { Costs } from './costs.ts';
import { Operation } from './operation.ts';
import { type Counted, type Message, nothingCounted, SimMember } from './sim-member.ts';

export type ScaleOptions = {
  readonly nodes: number;
  readonly kind: Kind;
  /** Closed loops; each asks its own node, or the first replica of each key. */
  readonly clientsPerNode: number;
  readonly routing: 'any node' | 'owner';
  /** Each node's own, or that many for all of them and the load generators. */
  readonly cores:
    | { readonly type: 'own'; readonly perNode: number }
    | { readonly type: 'shared'; readonly count: number; readonly pace: number };
  /** One way. */
  readonly networkMicros: number;
  /** Of the first node, which leads the topology, and of each other one: a second's share, in microseconds. */
  readonly background: { readonly leaderMicros: number; readonly otherMicros: number };
  readonly warmUpMicros: number;
  readonly measuredMicros: number;
  readonly seed: number;
};

export type Simulated = {
  readonly perSecond: number;
  readonly perNode: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Of an operation, all nodes together. */
  readonly mainMicros: number;
  readonly storageMicros: number;
  readonly frames: number;
  readonly messages: number;
  readonly groups: number;
  /** Work of the hottest main thread over that of the mean. */
  readonly hottest: number;
  /** Share of the time in which the hottest main thread worked. */
  readonly hottestBusy: number;
  /** Of all work of main threads. */
  readonly backgroundShare: number;
};

export const REPLICAS = 3;
export const PARTITIONS = 256;
const BACKGROUND_EVERY_MICROS = 10_000;
const ZONELESS = { weight: 1, zone: '' };

/** The sets that the store itself would place, by members from 1; the first of a set is its primary. */
export function replicaSetsOf(nodes: number): readonly (readonly number[])[] {
  const members = new Map(Array.from({ length: nodes }, (_, i) => [i + 1, ZONELESS]));
  return planPlacement({ partitions: PARTITIONS, replicationFactor: REPLICAS }, { members, current: [] })
    .replicaSets;
}

export function simulate(options: ScaleOptions, costs: Costs): Simulated {
  return new Simulation(options, costs).run();
}

class Simulation {
  readonly #options: ScaleOptions;
  readonly #costs: Costs;
  readonly #clockwork = new Clockwork();
  readonly #prng: Prng;
  readonly #sets: readonly (readonly number[])[];
  readonly #members: readonly SimMember[];
  readonly #generatorCores: Cores | undefined;
  #latencies: number[] = [];

  constructor(options: ScaleOptions, costs: Costs) {
    this.#options = options;
    this.#costs = costs;
    this.#prng = createPrng(options.seed);
    this.#sets = replicaSetsOf(options.nodes);
    const { cores } = options;
    const shared = cores.type === 'shared' ? new Cores(cores, this.#clockwork) : undefined;
    this.#generatorCores = shared;
    this.#members = Array.from(
      { length: options.nodes },
      (_, i) =>
        new SimMember(i + 1, {
          clockwork: this.#clockwork,
          costs,
          cores:
            shared ??
            new Cores({ count: cores.type === 'own' ? cores.perNode : 1, pace: 1 }, this.#clockwork),
          stretchShare: shared === undefined ? 0 : costs.otherShare,
          send: (to, messages) => this.#carry(i + 1, to, messages),
        }),
    );
  }

  run(): Simulated {
    const { nodes, clientsPerNode, warmUpMicros, measuredMicros } = this.#options;
    for (let client = 0; client < nodes * clientsPerNode; client++)
      this.#clockwork.after(client % 1000, () => this.#begin(1 + (client % nodes)));
    for (const member of this.#members) this.#keepBusy(member);
    this.#clockwork.runUntil(warmUpMicros);
    const before = this.#members.map(({ counted }) => ({ ...counted }));
    this.#latencies = [];
    this.#clockwork.runUntil(warmUpMicros + measuredMicros);
    return this.#told(this.#members.map(({ counted }, i) => grown(before[i] as Counted, counted)));
  }

  /** A client of the node at `home` wants something. */
  #begin(home: number): void {
    const { kind, routing, networkMicros } = this.#options;
    const set = this.#sets[this.#prng.below(PARTITIONS)] as readonly number[];
    const at = routing === 'owner' ? (set[0] as number) : home;
    const operation = new Operation(kind, this.#preferred(set, at));
    const startMicros = this.#clockwork.nowMicros;
    const answer = (): void => this.#clockwork.after(networkMicros, () => this.#end(home, startMicros));
    this.#clockwork.after(networkMicros, () => this.#member(at).take({ type: 'client', operation, answer }));
  }

  #end(home: number, startMicros: number): void {
    this.#latencies.push(this.#clockwork.nowMicros - startMicros);
    const cores = this.#generatorCores;
    const micros = this.#costs.generatorMicros[this.#options.kind];
    if (cores === undefined) this.#begin(home);
    else cores.run({ begin: () => micros, end: () => this.#begin(home) });
  }

  /** This member first; the others in any order, as their latencies come out. */
  #preferred(set: readonly number[], at: number): readonly number[] {
    const first = this.#prng.below(set.length);
    const turned = set.map((_, i) => set[(first + i) % set.length] as number);
    return set.includes(at) ? [at, ...turned.filter((member) => member !== at)] : turned;
  }

  #carry(from: number, to: number, messages: readonly Message[]): void {
    this.#clockwork.after(this.#options.networkMicros, () =>
      this.#member(to).take({ type: 'frame', from, messages }),
    );
  }

  #keepBusy(member: SimMember): void {
    const { leaderMicros, otherMicros } = this.#options.background;
    const perSecond = member.number === 1 ? leaderMicros : otherMicros;
    const micros = (perSecond * BACKGROUND_EVERY_MICROS) / 1e6;
    const next = (): void => {
      member.take({ type: 'background', micros });
      this.#clockwork.after(BACKGROUND_EVERY_MICROS, next);
    };
    if (micros > 0) this.#clockwork.after(this.#prng.below(BACKGROUND_EVERY_MICROS), next);
  }

  #told(counted: readonly Counted[]): Simulated {
    const { nodes, measuredMicros } = this.#options;
    const total = nothingCounted();
    for (const each of counted)
      for (const key of Object.keys(total) as (keyof Counted)[]) total[key] += each[key];
    const operations = this.#latencies.length;
    const hottest = Math.max(...counted.map(({ mainMicros }) => mainMicros));
    const perSecond = (1e6 * operations) / measuredMicros;
    return {
      perSecond,
      perNode: perSecond / nodes,
      p50Micros: quantile(this.#latencies, 0.5),
      p99Micros: quantile(this.#latencies, 0.99),
      mainMicros: total.mainMicros / operations,
      storageMicros: total.storageMicros / operations,
      frames: total.frames / operations,
      messages: total.messages / operations,
      groups: total.groups / operations,
      hottest: hottest / (total.mainMicros / nodes),
      hottestBusy: hottest / measuredMicros,
      backgroundShare: total.backgroundMicros / total.mainMicros,
    };
  }

  #member(number: number): SimMember {
    return this.#members[number - 1] as SimMember;
  }
}

function grown(before: Counted, after: Counted): Counted {
  const difference = nothingCounted();
  for (const key of Object.keys(difference) as (keyof Counted)[]) difference[key] = after[key] - before[key];
  return difference;
}
