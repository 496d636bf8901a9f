import { wholeNumber } from '../../../core/resp/arguments.ts';
import { array, bulk, EMPTY, integer, map, type Reply } from '../../../core/resp/reply.ts';
import { SLOT_COUNT, slotOf } from '../../../core/ring/slot.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';
import {
  type Owner,
  ownersOf,
  partitionRanges,
  replicatedRanges,
  type SlotRange,
  slotRanges,
} from '../slot-owners.ts';
import type { Handlers } from './command.ts';
import { runSubcommand, type Subcommands } from './subcommand.ts';
import { sweep } from './sweep.ts';

const SUBCOMMANDS: Subcommands = {
  slots: { arity: 2, handle: (call) => call.answer(slots(call)) },
  shards: { arity: 2, handle: (call) => call.answer(shards(call)) },
  nodes: { arity: 2, handle: (call) => call.answer({ type: 'verbatim', text: nodes(call) }) },
  info: { arity: 2, handle: (call) => call.answer({ type: 'verbatim', text: info(call) }) },
  myid: { arity: 2, handle: (call) => call.answer(bulk(selfOf(call).id)) },
  myshardid: { arity: 2, handle: (call) => call.answer(bulk(selfOf(call).id)) },
  keyslot: { arity: 3, handle: (call) => call.answer(integer(slotOf(call.argument(2)))) },
  countkeysinslot: { arity: 3, handle: (call) => call.after(countKeys(call), integer) },
  reset: { arity: -2, handle: refuseChange },
  help: { arity: 2, handle: (call) => call.answer(array([bulk(HELP)])) },
};

const HELP = 'CLUSTER [SLOTS | SHARDS | NODES | INFO | MYID | KEYSLOT <key> | COUNTKEYSINSLOT <slot> | HELP]';

export const clusterCommands: Handlers = {
  cluster: (call) => runSubcommand(call, SUBCOMMANDS),
};

function refuseChange(): never {
  throw new CommandError(
    'ERR the cluster is changed by kvorum and over HTTP (docs/operations.md), not by CLUSTER',
  );
}

function selfOf({ context }: Call): Owner {
  const self = ownersOf(context).find(({ isSelf }) => isSelf);
  if (self === undefined)
    throw new CommandError('CLUSTERDOWN CLUSTER_WAITING this node is of no cluster yet');
  return self;
}

/** A replica that is asked answers as the owner does, with a quorum: READONLY takes no guarantee away here. */
function slots({ context }: Call): Reply {
  return array(
    replicatedRanges(context).map(({ first, last, owner, replicas }) =>
      array([
        integer(first),
        integer(last),
        ...[owner, ...replicas].map(({ host, port, id }) =>
          array([bulk(host), integer(port), bulk(id), EMPTY]),
        ),
      ]),
    ),
  );
}

/** A shard is a node, its slots, and those that hold all of these as well. */
function shards({ context }: Call): Reply {
  const ranges = slotRanges(context);
  const partitions = partitionRanges(context);
  return array(
    ownersOf(context).map((owner) => {
      const own = rangesOf(ranges, owner).flatMap(({ first, last }) => [integer(first), integer(last)]);
      const sets = partitions.flatMap(({ owner: { id }, replicas }) => (id === owner.id ? [replicas] : []));
      const replicas = (sets[0] ?? []).filter(({ id }) =>
        sets.every((set) => set.some((each) => each.id === id)),
      );
      return map([
        ['slots', array(own)],
        ['nodes', array([shardNode(owner, 'master'), ...replicas.map((each) => shardNode(each, 'replica'))])],
      ]);
    }),
  );
}

function shardNode({ id, host, port, isUp }: Owner, role: 'master' | 'replica'): Reply {
  return map([
    ['id', bulk(id)],
    ['port', integer(port)],
    ['ip', bulk(host)],
    ['endpoint', bulk(host)],
    ['role', bulk(role)],
    ['replication-offset', integer(0)],
    ['health', bulk(isUp ? 'online' : 'fail')],
  ]);
}

function rangesOf(ranges: readonly SlotRange[], owner: Owner): readonly SlotRange[] {
  return ranges.filter((range) => range.owner.id === owner.id);
}

/** One line for each node; all are masters, of the slots that they are the first to be asked for. */
function nodes({ context }: Call): string {
  const ranges = slotRanges(context);
  const { epoch } = context.cluster.status();
  return ownersOf(context)
    .map((owner) => {
      const { id, host, port, isSelf, isUp } = owner;
      const flags = `${isSelf ? 'myself,' : ''}master${isUp ? '' : ',fail'}`;
      const own = rangesOf(ranges, owner).map(({ first, last }) =>
        first === last ? `${first}` : `${first}-${last}`,
      );
      const state = isUp ? 'connected' : 'disconnected';
      return `${[`${id} ${host}:${port}@${port} ${flags} - 0 0 ${epoch} ${state}`, ...own].join(' ')}\n`;
    })
    .join('');
}

function info({ context }: Call): string {
  const { epoch, members } = context.cluster.status();
  const ranges = slotRanges(context);
  const assigned = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const served = ranges.reduce((sum, { first, last, owner }) => sum + (owner.isUp ? last - first + 1 : 0), 0);
  const fields = {
    cluster_state: served === SLOT_COUNT ? 'ok' : 'fail',
    cluster_slots_assigned: assigned,
    cluster_slots_ok: served,
    cluster_slots_pfail: 0,
    cluster_slots_fail: assigned - served,
    cluster_known_nodes: members.total,
    cluster_size: members.total,
    cluster_current_epoch: epoch,
    cluster_my_epoch: epoch,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');
}

/** Of the namespace of the connection, by looking at all its keys. */
async function countKeys(call: Call): Promise<number> {
  const slot = wholeNumber(call.argument(2));
  if (slot === undefined || slot < 0 || slot >= SLOT_COUNT) throw new CommandError('ERR Invalid slot');
  let count = 0;
  await sweep(call, { keysOnly: true }, (key) => {
    if (slotOf(key) === slot) count += 1;
  });
  return count;
}
