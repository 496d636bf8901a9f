import type { Frame } from '../flame-graph.ts';

/** Where the main thread of a node spends its time, by the part of the project that asked for it. */
export type Stage = { readonly id: string; readonly what: string };

export const STAGES: readonly Stage[] = [
  { id: 'client', what: 'clients: parse, run the command, write the answer' },
  { id: 'client-send', what: 'system calls that send to clients' },
  { id: 'coordinator', what: 'coordinator: route, stamp, quorum' },
  { id: 'links', what: 'links: queues and batches per member' },
  { id: 'codec', what: 'codec of what goes between members' },
  { id: 'peer', what: 'sockets of members: frames, lanes' },
  { id: 'peer-send', what: 'system calls that send to members' },
  { id: 'replica', what: 'replica: fence, order of keys, records in memory, trees' },
  { id: 'storage', what: 'storage: records, checksums, group commit, hand-over to its thread' },
  { id: 'background', what: 'cluster, gossip, Raft, repair, metrics' },
  { id: 'node', what: "Node's streams, timers and turns, called by nobody of the project" },
  { id: 'gc', what: 'garbage collection on the main thread' },
  { id: 'native', what: 'native code outside of JavaScript: event loop, system calls that receive' },
];

/** The longest that fits decides, so that a folder may be split. */
export const STAGE_OF_PREFIX: readonly (readonly [prefix: string, stage: string])[] = [
  ['store/io/resp', 'client'],
  ['store/core/resp', 'client'],
  ['store/io/http', 'client'],
  ['store/replication/coordinator', 'coordinator'],
  ['store/replication/routing', 'coordinator'],
  ['store/core/quorum', 'coordinator'],
  ['store/core/ring', 'coordinator'],
  ['store/replication/links', 'links'],
  ['store/peer', 'codec'],
  ['store/io/tcp', 'peer'],
  ['store/replication/replica', 'replica'],
  ['store/core/merkle', 'replica'],
  ['store/storage', 'storage'],
  ['store/io/rocksdb', 'storage'],
  ['store/io/leveldb', 'storage'],
  ['store/replication/exchange', 'background'],
  ['store/replication/hints', 'background'],
  ['store/replication/moves', 'background'],
  ['store/cluster', 'background'],
  ['store/core/gossip', 'background'],
  ['store/core/raft', 'background'],
  ['store/core/topology', 'background'],
  ['store/io/metrics', 'background'],
  ['store/io/scraped-metric', 'background'],
];
const SENDS = new Set([
  'writev',
  'writeBuffer',
  'writeLatin1String',
  'writeUtf8String',
  'writeAsciiString',
  'writeUcs2String',
]);

/**
 * Milliseconds of each stage, by its id. A function counts for the nearest caller of the project (itself included) whose folder has a
 * stage; what serves all of them (bytes, heaps, clocks) counts for whoever called it.
 */
export function stageTimes(root: Frame): ReadonlyMap<string, number> {
  const times = new Map(STAGES.map(({ id }) => [id, 0]));
  const visit = (frame: Frame, inherited: string): void => {
    const stage = stageOf(frame, inherited);
    times.set(stage, (times.get(stage) ?? 0) + frame.selfMs);
    const passedOn = stage.endsWith('-send') ? inherited : stage;
    for (const child of frame.children.values()) visit(child, passedOn);
  };
  visit(root, 'node');
  return times;
}

function stageOf({ name, place }: Frame, inherited: string): string {
  if (name === '(garbage collector)') return 'gc';
  if (name === '(program)') return 'native';
  if (place === '' && SENDS.has(name))
    return inherited === 'client' || inherited === 'peer' ? `${inherited}-send` : inherited;
  return stageOfPlace(place) ?? inherited;
}

function stageOfPlace(place: string): string | undefined {
  let best: readonly [string, string] | undefined;
  for (const each of STAGE_OF_PREFIX)
    if (place.startsWith(each[0]) && each[0].length > (best?.[0].length ?? 0)) best = each;
  return best?.[1];
}
