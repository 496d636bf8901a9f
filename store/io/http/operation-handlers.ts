import type { OperationRequest, OperationView } from '../../cluster/cluster-admin.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import { answerJson } from './answer.ts';
import { askedConsistency, comeUpToDate, readDocument } from './cluster-handlers.ts';
import type { Exchange } from './exchange.ts';
import { iso } from './key-handlers.ts';
import { refuseQuery } from './namespace-handlers.ts';
import { operationFields } from './operation-schemas.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { parseMemberTarget, parseOperationTarget, rawQuery } from './request-target.ts';
import { checkBody, parseQuery } from './validate.ts';

/** Who asks, where neither the request nor a token says. */
const BY = 'http';

export async function startOperation(exchange: Exchange): Promise<void> {
  refuseQuery(exchange);
  const document = await readDocument(exchange);
  const { schemas } = exchange.context;
  const request = checkBody(schemas.operationBody, document, () => operationFields(document));
  await start(exchange, { ...request, by: request.by ?? askedBy(exchange) });
}

function askedBy({ caller }: Exchange): string {
  return caller?.name ?? BY;
}

/** A shorthand. */
export async function drainMember(exchange: Exchange): Promise<void> {
  const member = parseMemberTarget(exchange.req.url as string);
  refuseQuery(exchange);
  await start(exchange, { type: 'drain', member, by: askedBy(exchange) });
}

async function start(exchange: Exchange, request: OperationRequest): Promise<void> {
  const { cluster } = exchange.context;
  const begun = await whileAsked(exchange, (signal) => cluster.startOperation(request, signal));
  answerJson(exchange, 200, { epoch: begun.epoch, operation: begun.operation ?? null });
}

export async function listOperations(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const query = parseQuery(context.schemas.operationsQuery, rawQuery(req.url as string));
  await comeUpToDate(exchange, query.consistency);
  const { epoch, operations } = context.cluster.operations();
  const isAsked = ({ state }: OperationView): boolean => query.state === undefined || state === query.state;
  const asked = await context.cluster.operationProgress(operations.filter(isAsked));
  answerJson(exchange, 200, { epoch, operations: asked.map(operationJson) });
}

export async function getOperation(exchange: Exchange): Promise<void> {
  const id = parseOperationTarget(exchange.req.url as string);
  await comeUpToDate(exchange, askedConsistency(exchange));
  const found = requireOperation(exchange, id);
  const [operation = found] = await exchange.context.cluster.operationProgress([found]);
  answerJson(exchange, 200, operationJson(operation));
}

export async function cancelOperation(exchange: Exchange): Promise<void> {
  const id = parseOperationTarget(exchange.req.url as string);
  refuseQuery(exchange);
  await comeUpToDate(exchange);
  const number = numberOf(requireOperation(exchange, id));
  const { cluster } = exchange.context;
  const { epoch } = await whileAsked(exchange, (signal) => cluster.cancelOperation(number, signal));
  answerJson(exchange, 200, { epoch, operation: id });
}

/** By its whole id: that of a drain names no rebalance. Throws HttpProblem OPERATION_NOT_FOUND. */
export function requireOperation({ context }: Exchange, id: string): OperationView {
  const { operations } = context.cluster.operations();
  const found = operations.find((operation) => operation.id === id);
  if (found !== undefined) return found;
  const ids = operations.map((operation) => operation.id).join(', ');
  const detail = `There is no operation ${JSON.stringify(id)}; known are ${ids || 'none'}.`;
  throw new HttpProblem('OPERATION_NOT_FOUND', detail, { operation: id });
}

export function operationJson({ atMs, endedAtMs, ...operation }: OperationView): object {
  return {
    ...operation,
    at: iso(atMs),
    ...(endedAtMs !== undefined && { endedAt: iso(endedAtMs) }),
  };
}

/** `drain-17` is the operation 17. */
function numberOf({ id }: OperationView): Epoch {
  return toEpoch(Number(id.slice(id.lastIndexOf('-') + 1)));
}
