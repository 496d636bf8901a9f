import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { DataReply, PartitionAt } from '../../peer/data-messages.ts';
import type { OwnedPartition, Routing } from '../types.ts';
import type { ExchangeReplica } from './exchange-options.ts';

export type Refused = Extract<DataReply, { readonly type: 'data-refused' }>;

export type FenceDeps = { readonly replica: Pick<ExchangeReplica, 'owned'>; readonly routing: Routing };

/** What is owned at exactly the epoch that a request names, in this turn; or why the request is refused. */
export function fence({ replica, routing }: FenceDeps, at: PartitionAt): OwnedPartition | Refused {
  const owned = replica.owned(at.partition);
  if (owned === undefined) return refuseUnowned(routing, at);
  if (owned.epoch === at.epoch) return owned;
  const isStale = at.epoch < owned.epoch;
  const message = `partition ${at.partition} is at epoch ${owned.epoch} here, the request names ${at.epoch}`;
  return refused(isStale ? 'STALE_EPOCH' : 'EPOCH_UNKNOWN', `${message}: ask again at that`, owned.epoch);
}

export function refused(code: string, message: string, epoch: Epoch): Refused {
  return { type: 'data-refused', code, message, epoch };
}

export const isRefused = (value: object): value is Refused =>
  'type' in value && value.type === 'data-refused';

function refuseUnowned(routing: Routing, { partition }: PartitionAt): Refused {
  const view = routing.viewOf(partition);
  if (view === undefined)
    return refused(
      'EPOCH_UNKNOWN',
      `partition ${partition} is not placed, as far as is known here`,
      toEpoch(0),
    );
  const { sets } = view;
  const members = sets.type === 'still' ? sets.set : [...sets.from, ...sets.to];
  if (members.includes(routing.self))
    return refused('EPOCH_UNKNOWN', `partition ${partition} is not served here yet`, view.epoch);
  return refused('NOT_OWNER', `this member holds no replica of partition ${partition}`, view.epoch);
}
