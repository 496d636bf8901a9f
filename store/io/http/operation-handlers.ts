import type { OperationView } from '../../cluster/cluster-admin.ts';
import { answerJson } from './answer.ts';
import { answerChange, comeUpToDate } from './cluster-handlers.ts';
import type { Exchange } from './exchange.ts';
import { refuseQuery } from './namespace-handlers.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { parseCanStopTarget, parseOperationTarget } from './request-target.ts';

export async function listOperations(exchange: Exchange): Promise<void> {
  await comeUpToDate(exchange);
  answerJson(exchange, 200, exchange.context.cluster.operations());
}

export async function getOperation(exchange: Exchange): Promise<void> {
  const id = parseOperationTarget(exchange.req.url as string);
  await comeUpToDate(exchange);
  answerJson(exchange, 200, requireOperation(exchange, id));
}

/** A drain is all that is somebody's wish: a rebalance and a replacement follow from who is there. */
export async function cancelOperation(exchange: Exchange): Promise<void> {
  const id = parseOperationTarget(exchange.req.url as string);
  refuseQuery(exchange);
  await comeUpToDate(exchange);
  const { type, member } = requireOperation(exchange, id);
  if (type !== 'drain' || member === undefined) {
    const detail = `${JSON.stringify(id)} is a ${type}; only a drain can be cancelled.`;
    throw new HttpProblem('OPERATION_NOT_CANCELLABLE', detail, { operation: id });
  }
  const { cluster } = exchange.context;
  answerChange(exchange, await whileAsked(exchange, (signal) => cluster.cancelDrain(member, signal)));
}

export async function getCanStop(exchange: Exchange): Promise<void> {
  const name = parseCanStopTarget(exchange.req.url as string);
  await comeUpToDate(exchange);
  const verdict = exchange.context.cluster.canStop(name);
  answerJson(exchange, 200, verdict.canStop ? { canStop: true, reasons: [], partitions: [] } : verdict);
}

function requireOperation({ context }: Exchange, id: string): OperationView {
  const { operations } = context.cluster.operations();
  const found = operations.find((operation) => operation.id === id);
  if (found !== undefined) return found;
  const ids = operations.map((operation) => operation.id).join(', ');
  const detail = `There is no operation ${JSON.stringify(id)} now; under way: ${ids || 'none'}.`;
  throw new HttpProblem('OPERATION_NOT_FOUND', detail, { operation: id });
}
