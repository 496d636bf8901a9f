import { answer, answerJson } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** Probes answer whatever their query says: a probe that fails over a parameter would stop a healthy node. */
export async function livez(exchange: Exchange): Promise<void> {
  answerJson(exchange, 200, { status: 'ok' });
}

export async function readyz(exchange: Exchange): Promise<void> {
  const { ready, checks } = exchange.context.readiness();
  const status = ready && !exchange.context.closing.signal.aborted;
  const headers = status ? [] : ['Retry-After', String(exchange.context.options.retryAfterSeconds)];
  answerJson(exchange, status ? 200 : 503, { status: status ? 'ready' : 'not-ready', checks }, headers);
}

export async function metricsPage(exchange: Exchange): Promise<void> {
  const { registry } = exchange.context.metrics;
  const body = Buffer.from(await registry.metrics());
  const headers = ['Content-Type', registry.contentType, 'Content-Length', String(body.length)];
  answer(exchange, 200, headers, body);
}

export async function nodeStatus(exchange: Exchange): Promise<void> {
  answerJson(exchange, 200, exchange.context.status());
}

export async function nodeConfig(exchange: Exchange): Promise<void> {
  const { context } = exchange;
  answerJson(exchange, 200, { ...context.status().config, settings: context.settings() });
}

export async function openApi(exchange: Exchange): Promise<void> {
  answerJson(exchange, 200, exchange.context.openApi);
}
