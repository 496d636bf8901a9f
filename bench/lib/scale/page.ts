import type { Kind } from '../budget/resp-load.ts';
import { drawPlot, type Panel } from '../plot.ts';
import { round } from '../report.ts';
import type { Costs } from './costs.ts';
import type { OnPaper } from './formula.ts';
import type { Prediction } from './predict.ts';
import type { RealLoad } from './real.ts';
import type { ScaleOptions, Simulated } from './simulate.ts';
import type { BackgroundCount, OperationCount } from './whole-nodes.ts';

/** docs/performance/costs.json */
export type Measured = {
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  /** What else is to be known of the run. */
  readonly note?: string;
  readonly cores: number;
  readonly costs: Costs;
  readonly loads: readonly RealLoad[];
  /** Of a node, by the size of the cluster: microseconds a second. */
  readonly idleMicros: Readonly<Record<number, number>>;
};

export type Row = {
  readonly options: ScaleOptions;
  readonly count: { readonly background: BackgroundCount; readonly operations: OperationCount };
  readonly simulated: Simulated;
  readonly paper: OnPaper;
};

const KINDS: readonly Kind[] = ['puts', 'gets'];
const ROUTINGS: readonly ScaleOptions['routing'][] = ['any node', 'owner'];
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** docs/scale-out.md */
export function scalePage(
  measured: Measured,
  rows: readonly Row[],
  predictions: readonly Prediction[],
): string {
  return [
    '# Scale-out: from 3 to 100 nodes',
    '',
    'What a node gives in a large cluster, where there is no large cluster: costs measured on three real nodes, a simulation that plays them through with the',
    'real placement and the real rules of the quorums, a formula beside it, and five real nodes as a check. `./dev.sh bench scale-out --write` makes this page;',
    `with \`--measure\` it measures the costs anew (about three minutes). Costs of commit ${measured.commit}, ${measured.date}, ${measured.machine}.`,
    ...(measured.note === undefined ? [] : [measured.note]),
    '',
    ...ROUTINGS.flatMap((routing) => KINDS.flatMap((kind) => scaleTable(rows, kind, routing))),
    '![Operations a second of a node over the size of the cluster](performance/scale-out.svg)',
    '',
    ...reading(rows),
    ...countTable(rows),
    ...realTable(predictions),
    ...costTable(measured),
    ...METHOD,
  ].join('\n');
}

function scaleTable(rows: readonly Row[], kind: Kind, routing: ScaleOptions['routing']): string[] {
  const own = rows.filter(({ options }) => options.kind === kind && options.routing === routing);
  const clients = own[0]?.options.clientsPerNode;
  const whose = routing === 'owner' ? 'clients that know the owners' : 'clients that ask any node';
  return [
    `## ${kind === 'puts' ? 'Puts' : 'Gets'}, ${whose}, ${clients} for each node`,
    '',
    '| nodes | a second, each node | cluster | on paper | paper / simulated | p50, p99 ms | messages an operation | in a frame | hottest node | its main thread | background |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...own.map(({ options, simulated, paper }) => {
      const {
        perNode,
        perSecond,
        p50Micros,
        p99Micros,
        messages,
        frames,
        hottest,
        hottestBusy,
        backgroundShare,
      } = simulated;
      const cells = [
        options.nodes,
        whole(perNode),
        whole(perSecond),
        whole(paper.perNode),
        round(paper.perNode / perNode),
        `${round(p50Micros / 1000, 1)}, ${round(p99Micros / 1000, 1)}`,
        round(messages),
        round(messages / frames, 1),
        `${round(hottest)} of the mean`,
        `${Math.round(100 * hottestBusy)} % busy`,
        `${round(100 * backgroundShare, 1)} %`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

function reading(rows: readonly Row[]): string[] {
  const of = (kind: Kind, routing: ScaleOptions['routing']): string => {
    const own = rows.filter(({ options }) => options.kind === kind && options.routing === routing);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return '';
    const share = round(last.simulated.perNode / first.simulated.perNode);
    return `${kind} through ${routing === 'owner' ? 'the owner' : 'any node'} ${share}`;
  };
  const last = rows.at(-1)?.options.nodes;
  const shares = ROUTINGS.flatMap((routing) => KINDS.map((kind) => of(kind, routing)));
  return [
    `Of what a node of three gives, one of ${last} gives: ${shares.join(', ')}.`,
    '',
    '- A node of three holds a replica of every key. In a large cluster the node that a client asks mostly holds none: an operation takes up to 10 messages for 6 (a put), or 4 for 2 (a get).',
    '- What a turn sends is for ever more members, so that a message comes to travel in a frame of its own. That is the larger part of the loss, by what a frame and a message cost (below).',
    '- Clients that go to the owners (`@kvorum/client`; RESP clients in cluster mode) spare both: the coordinator is a replica, and a node speaks only with those that it shares partitions with, however',
    '  many there are. So in a large cluster it matters that clients know the ring; in one of three it does not.',
    '- The fullest node has whole partitions: 8 for 7.68 at 100 nodes, and 3 primaries for 2.56. A node with more to do takes more at a turn, which costs it less for each: the mean suffers less than the ratio says, the p99 more.',
    '- Nothing else grows with the cluster but the heartbeats of the leader of the topology, ten a second for each member.',
    '',
  ];
}

function countTable(rows: readonly Row[]): string[] {
  const sizes = rows.filter(({ options }) => options.kind === 'puts' && options.routing === 'any node');
  return [
    '## Counted in whole simulated nodes',
    '',
    'Clusters of whole nodes (`startNode`) on virtual time, 256 partitions; messages that a node sends in a second without clients, and messages of an operation at a node that is drawn.',
    '',
    '| nodes | gossip | Raft | requests and comparisons | all of the leader | of a put | the formula | of a get | the formula |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...sizes.map(({ options: { nodes }, count: { background, operations } }) => {
      const own = Math.min(1, 3 / nodes);
      const cells = [
        nodes,
        round(background.gossip, 1),
        round(background.raft, 1),
        round(background.requests, 1),
        whole(background.busiest),
        round(operations.puts),
        round(10 - 4 * own),
        round(operations.gets),
        round(4 - 2 * own),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

function realTable(predictions: readonly Prediction[]): string[] {
  return [
    '## Beside real nodes, all on the cores of one machine',
    '',
    'The costs are those of the loads of three nodes; the loads of five nodes were not used for them. Foretold throughput is for the cores that others on the machine left: each stretch of work takes that much longer.',
    '',
    '| nodes | load | us of processor an operation, foretold | measured | ratio | a second, foretold | measured | ratio | frames an operation, foretold, measured | fsyncs | cores of others |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...predictions.map(({ load, simulated, cpuMicros, measuredMicros, perSecond, ratio }) => {
      const cells = [
        load.nodes,
        `${load.kind}, ${load.connections}`,
        round(cpuMicros, 1),
        round(measuredMicros, 1),
        round(cpuMicros / measuredMicros),
        whole(perSecond),
        whole(load.perSecond),
        round(ratio),
        `${round(simulated.frames)}, ${round(load.frames)}`,
        load.kind === 'gets' ? '-' : `${round(simulated.groups)}, ${round(load.groups)}`,
        round(load.coresOfOthers),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

function costTable({ costs, idleMicros }: Measured): string[] {
  const row = (what: string, micros: number): string => `| ${what} | ${round(micros, 1)} |`;
  return [
    '## The costs, us',
    '',
    '| | |',
    '| --- | --- |',
    row('a client and its put: read, parse, answer', costs.clientMicros.puts),
    row('a client and its get', costs.clientMicros.gets),
    row('a put at its coordinator', costs.coordinateMicros.puts),
    row('a get at its coordinator', costs.coordinateMicros.gets),
    row('a message between members, both ends', costs.messageMicros),
    row('a frame, however many messages it has, both ends', costs.frameMicros),
    row(
      'a replica each time that it is asked or given a record, of a put, main thread',
      costs.replicaMicros.puts,
    ),
    row('the same, of a get', costs.replicaMicros.gets),
    row('a group goes to the storage thread and back, main thread', costs.groupMicros),
    row('a group, storage thread', costs.storageGroupMicros),
    row('a record of it, storage thread', costs.storageRecordMicros),
    row('the disk: fdatasync', costs.fsyncMicros),
    row("V8's threads, for each us of a main thread", costs.otherShare),
    row('the load generator, a put', costs.generatorMicros.puts),
    row('the load generator, a get', costs.generatorMicros.gets),
    ...Object.entries(idleMicros).map(([nodes, micros]) =>
      row(`a second of an idle node of ${nodes}, all threads`, micros),
    ),
    '',
  ];
}

const METHOD: readonly string[] = [
  '## How',
  '',
  '- Costs (`bench/lib/scale/costs.ts`): puts and gets over RESP on three real nodes at 3, 12, 64 and 256 connections. The kernel says what the threads took, `GET /metrics` how many operations and',
  '  fsyncs there were, the count of writes how many frames. An operation costs what it costs and so much for each frame and each group: least squares, nothing below zero. What',
  '  is left for the operation itself is divided by the stages of its CPU profile (docs/performance/README.md). Of several rounds the one that took least counts, since whoever else is there only adds; so',
  '  does the tenth part of the bare fsyncs that took least. The figures are in performance/costs.json.',
  '- Simulation (`simulate.ts`, `sim-member.ts`): sets of `planPlacement`, decisions of `store/core/quorum`. A node is a main thread that takes all that has come, works it off and sends one frame to each',
  '  member that something is for, and a storage thread that writes all that waits as one group: how many share a frame or an fsync comes of it. Two cores a node, 50 us between nodes, closed loops, keys drawn evenly.',
  '- Formula (`formula.ts`): `(1 - background) / (cost of an operation * imbalance)`; frames by balls that fall into bins. Tests hold it against the simulation, and both against the messages of whole nodes.',
  '- Background: an idle node of three, and a frame for each message that whole simulated nodes send more than there (`whole-nodes.ts`).',
  '',
  '## What it does not say',
  '',
  '- The costs are of loopback: a network card and its interrupts cost more or less. A network that is full, racks and zones are not in it.',
  '- Keys are drawn evenly. One hot key has three nodes, however many there are.',
  '- Values have 256 bytes; the data fits into memory; nothing is compacted, repaired or moved while it runs.',
  '- The cost of garbage collection and of caches is that of three nodes that share two cores.',
  '- Heartbeats of links that have nothing else to carry (one a second) are left out: under load there are none.',
  '',
];

const AXIS_STEPS = [4, 8, 12, 16, 20, 24, 32, 40, 48, 60, 80, 100, 120, 160, 200];

/** Thousands a second of a node, puts and gets. */
export function drawScale(rows: readonly Row[]): string {
  const sizes = [...new Set(rows.map(({ options }) => options.nodes))];
  const panel = (kind: Kind): Panel => {
    const series = ROUTINGS.flatMap((routing, tone) => {
      const own = rows.filter(({ options }) => options.kind === kind && options.routing === routing);
      const name = routing === 'owner' ? 'to the owner' : 'to any node';
      return [
        { label: name, tone, values: own.map(({ simulated }) => simulated.perNode / 1000) },
        { label: 'on paper', tone: tone + 2, values: own.map(({ paper }) => paper.perNode / 1000) },
      ];
    });
    const most = Math.max(...series.flatMap(({ values }) => values));
    const max = AXIS_STEPS.find((step) => step >= most) ?? most;
    return { title: `${kind}, thousands a second and node`, max, series };
  };
  return drawPlot(sizes, KINDS.map(panel), {
    label: 'Throughput of a node over the size of the cluster',
    axis: 'nodes',
  });
}
