import { toEpoch } from '../../core/topology/types.ts';
import { askedConsistency, comeUpToDate } from './cluster-handlers.ts';
import type { Exchange } from './exchange.ts';
import { LineStream } from './line-stream.ts';
import { operationJson, requireOperation } from './operation-handlers.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { parseOperationTarget } from './request-target.ts';
import { asWaiting } from './topology-handler.ts';

/**
 * Tells of an operation a line at a time, whenever it has changed; the last line is what it was when it had ended, or the problem
 * where that cannot be told. What fails before the first line is answered as any other refusal.
 */
export async function watchOperation(exchange: Exchange): Promise<void> {
  const id = parseOperationTarget(exchange.req.url as string);
  await comeUpToDate(exchange, askedConsistency(exchange));
  const first = await progressLine(exchange, id);
  await asWaiting(exchange, async () => {
    using lines = new LineStream(exchange, first);
    await lines.end(() => untilEnded(exchange, id, lines));
  });
}

/** What it was when it had ended. */
async function untilEnded(exchange: Exchange, id: string, lines: LineStream): Promise<object> {
  const { cluster, options, closing } = exchange.context;
  let told = '';
  for (;;) {
    const { epoch } = cluster.status();
    const line = await progressLine(exchange, id);
    if (line.operation.state !== 'running') return { ...line, type: 'end' };
    const text = JSON.stringify(line);
    if (text !== told) lines.show(line);
    told = text;
    // What gossip tells raises no epoch: it is looked at now and then.
    const wait = (signal: AbortSignal) => cluster.waitForEpoch(toEpoch(epoch), signal);
    await whileAsked(exchange, wait, options.operationLookMs);
    if (closing.signal.aborted)
      throw new HttpProblem(
        'SHUTTING_DOWN',
        `The node is stopping; ${id} goes on. Watch it at another node.`,
      );
  }
}

async function progressLine(exchange: Exchange, id: string) {
  const found = requireOperation(exchange, id);
  const [operation = found] = await exchange.context.cluster.operationProgress([found]);
  return { type: 'progress', operation: { state: operation.state, ...operationJson(operation) } };
}
