import { type ClusterAdmin, ClusterError } from '../../cluster/cluster-admin.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { Exchange } from './exchange.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';

/**
 * Resolves once this node has applied `epoch`, or with false where the cluster has no such epoch. Throws ClusterError where
 * neither can be told by `signal`.
 */
export type CatchUpTo = (epoch: Epoch, signal: AbortSignal) => Promise<boolean>;

const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,15})$/;

/**
 * A client that knows a newer topology than this node must not be served under the older one: the node catches up first.
 * Undefined where there is nothing to wait for.
 */
export function meetClientEpoch(exchange: Exchange): Promise<void> | undefined {
  const text = exchange.req.headers['kvorum-epoch'];
  if (text === undefined) return undefined;
  const epoch = typeof text === 'string' && WHOLE_NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(epoch)) {
    const detail = 'Kvorum-Epoch is the epoch of a topology: a whole number.';
    throw new HttpProblem('BAD_HEADER', detail, { header: 'Kvorum-Epoch' });
  }
  return epoch <= exchange.context.epochs.applied ? undefined : catchUp(exchange, epoch);
}

async function catchUp(exchange: Exchange, epoch: number): Promise<void> {
  const { catchUpTo, epochs, options } = exchange.context;
  const hasApplied = await whileAsked(
    exchange,
    (signal) => catchUpTo(toEpoch(epoch), signal),
    options.catchUpMsMax,
  );
  if (!hasApplied) {
    const detail = `Kvorum-Epoch is ${epoch}; the cluster has not come so far.`;
    throw new HttpProblem('EPOCH_IN_FUTURE', detail, { epoch });
  }
  epochs.applied = Math.max(epochs.applied, epoch);
}

/** By what the cluster says of itself. */
export function catchUpThrough(cluster: ClusterAdmin): CatchUpTo {
  return async (epoch, signal) => {
    if (cluster.status().epoch >= epoch) return true;
    const { epoch: newest } = await cluster.readTopology('linearizable', signal);
    if (newest < epoch) return false;
    const { epoch: applied } = await cluster.waitForEpoch(toEpoch(epoch - 1), signal);
    if (applied >= epoch) return true;
    throw new ClusterError('NO_LEADER', `This node has applied epoch ${applied} of ${epoch}.`);
  };
}
