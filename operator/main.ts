import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createLogger } from '../store/io/log.ts';
import { systemClock } from '../store/io/system-clock.ts';
import { systemRandom } from '../store/io/system-random.ts';
import { randomHex } from '../store/ports/random.ts';
import { KVORUM_VERSION } from '../store/version.ts';
import { MANAGER } from './children/names.ts';
import { startOperatorHttp } from './http-server.ts';
import { KubeClient } from './kube/kube-client.ts';
import { connectKube } from './kube/kube-config.ts';
import { createOperatorMetrics } from './metrics.ts';
import { Operator } from './operator.ts';
import { ClientStoreView } from './store-view/client-store-view.ts';

const EXIT_OK = 0;
/** A supervisor starts it again, and it waits for the lease anew. */
const EXIT_FAILED = 1;
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
const IDENTITY_BYTES = 4;

export type RunOptions = {
  readonly httpPort: number;
  readonly logLevel: string;
  readonly watchNamespaces?: readonly string[] | undefined;
  readonly workers: number;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
};

/** Runs the operator until SIGTERM, SIGINT or the loss of its lease; returns the exit code. */
export async function runOperator(options: RunOptions): Promise<number> {
  const identity = `${process.env.POD_NAME ?? hostname()}-${randomHex(systemRandom, IDENTITY_BYTES)}`;
  const log = createLogger({ level: options.logLevel, name: identity });
  const metrics = createOperatorMetrics();
  const { kubeconfig: path, context, workers, watchNamespaces } = options;
  await using stack = new AsyncDisposableStack();
  try {
    const connection = await connectKube({ path, context }, { clock: systemClock });
    stack.defer(() => connection.close());
    const store = stack.use(new ClientStoreView());
    const clientOptions = { fieldManager: MANAGER, userAgent: `${MANAGER}/${KVORUM_VERSION}` };
    const observe = metrics.observeRequest;
    const client = new KubeClient(clientOptions, { connection, clock: systemClock, observe });
    const namespace = process.env.POD_NAMESPACE ?? connection.namespace ?? ownNamespace();
    const operator = new Operator(
      { namespace, identity, watchNamespaces, workers },
      { client, store, clock: systemClock, random: systemRandom, log, metrics },
    );
    const http = { live: {}, ready: { watches: () => operator.notReady() }, metrics: metrics.registry };
    stack.use(await startOperatorHttp({ port: options.httpPort }, http));
    const end = await operator.run(untilSignal());
    if (end === 'lost') log.error('the lease was lost: ending, since another one may act now');
    else log.info('stopped');
    return end === 'lost' ? EXIT_FAILED : EXIT_OK;
  } catch (error) {
    log.fatal({ err: error }, 'the operator failed');
    process.stderr.write(`kvorum: the operator failed: ${(error as Error).message}\n`);
    return EXIT_FAILED;
  }
}

function untilSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

function ownNamespace(): string {
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return 'default';
  }
}
