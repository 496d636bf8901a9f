import type { Namespace } from '../../storage/kv-store.ts';
import { answer, answerJson } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { iso } from './key-handlers.ts';
import { HttpProblem } from './problem.ts';
import { readBody } from './read-body.ts';
import { parseNameTarget, rawQuery } from './request-target.ts';
import { checkBody, parseJson, parseQuery } from './validate.ts';

export async function listNamespaces(exchange: Exchange): Promise<void> {
  refuseQuery(exchange);
  answerJson(exchange, 200, { namespaces: exchange.context.store.listNamespaces().map(namespaceView) });
}

export async function getNamespace(exchange: Exchange): Promise<void> {
  const name = parseNameTarget(exchange.req.url as string);
  refuseQuery(exchange);
  const namespace = exchange.context.store.getNamespace(name);
  if (namespace !== undefined) return answerJson(exchange, 200, namespaceView(namespace));
  throw new HttpProblem('NAMESPACE_NOT_FOUND', `There is no namespace ${JSON.stringify(name)}.`, {
    namespace: name,
  });
}

export async function putNamespace(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const name = parseNameTarget(req.url as string);
  refuseQuery(exchange);
  const body = await readBody(exchange, context.options.changeBodyBytesMax, 'BODY_TOO_LARGE');
  if (body.length > 0) checkBody(context.schemas.namespaceBody, parseJson(body), () => ['consistency']);
  const { namespace, created } = await context.store.createNamespace(name);
  answerJson(exchange, created ? 201 : 200, namespaceView(namespace));
}

export async function deleteNamespace(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const name = parseNameTarget(req.url as string);
  const { confirm } = parseQuery(context.schemas.namespaceDeleteQuery, rawQuery(req.url as string));
  if (confirm !== undefined && confirm !== name) {
    const detail = `Parameter "confirm" must be ${JSON.stringify(name)}.`;
    throw new HttpProblem('BAD_PARAMETER', detail, { parameter: 'confirm' });
  }
  await context.store.deleteNamespace(name, confirm);
  answer(exchange, 204, []);
}

function namespaceView({ name, consistency, createdAtMs }: Namespace): object {
  return { name, consistency, createdAt: iso(createdAtMs) };
}

export function refuseQuery({ req, context }: Exchange): void {
  parseQuery(context.schemas.noQuery, rawQuery(req.url as string));
}
