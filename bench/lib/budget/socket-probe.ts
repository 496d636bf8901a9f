import type { Inspector } from '../inspector.ts';

/** Something that a node's main thread took in or gave out. */
export type ProbeEvent = {
  /** Of the monotonic clock that all processes of a machine share, in microseconds. */
  readonly atMicros: number;
  readonly kind: 'read' | 'write' | 'thread-in' | 'thread-out';
  /** Of sockets: `port-port`, the smaller first, so that both ends say the same. */
  readonly link: string;
};

/**
 * Runs inside a node, put there through its inspector and gone with it: notes when the main thread gives bytes to a socket or to another
 * thread, and when it gets some. A node that nobody probes has none of this. Once more: begins anew, with the sockets that are new too.
 */
function install(eventsMax: number): void {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const { Socket } = process.getBuiltinModule('node:net');
  type Handle = { onread: (...args: unknown[]) => unknown; [name: string]: unknown };
  type Probed = InstanceType<typeof Socket> & { readonly _handle?: Handle | null; isProbed?: boolean };
  const shared = globalThis as { kvorumProbe?: { readonly events: (string | number)[]; isOn: boolean } };
  const isFirst = shared.kvorumProbe === undefined;
  shared.kvorumProbe ??= { events: [], isOn: true };
  const probe = shared.kvorumProbe;
  const { events } = probe;
  events.length = 0;
  probe.isOn = true;
  const note = (kind: string, link: string): void => {
    if (!probe.isOn || events.length >= 3 * eventsMax) return;
    const [seconds, nanoseconds] = process.hrtime();
    events.push(seconds * 1e6 + nanoseconds / 1e3, kind, link);
  };
  const linkOf = ({ localPort = 0, remotePort = 0 }: Probed): string =>
    localPort < remotePort ? `${localPort}-${remotePort}` : `${remotePort}-${localPort}`;
  const watch = (socket: Probed): void => {
    const handle = socket._handle;
    if (handle === undefined || handle === null || socket.isProbed === true) return;
    socket.isProbed = true;
    const link = linkOf(socket);
    const { onread } = handle;
    handle.onread = function (this: unknown, ...args: unknown[]) {
      note('read', link);
      return onread.apply(this, args);
    };
    for (const name of ['writev', 'writeBuffer', 'writeLatin1String', 'writeUtf8String']) {
      const write = handle[name] as (...args: unknown[]) => unknown;
      handle[name] = function (this: unknown, ...args: unknown[]) {
        note('write', link);
        return write.apply(this, args);
      };
    }
  };
  const active = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  for (const handle of active) if (handle instanceof Socket) watch(handle as Probed);
  if (!isFirst) return;
  const { postMessage, emit } = Worker.prototype;
  Worker.prototype.postMessage = function (...args: unknown[]) {
    note('thread-out', '');
    return (postMessage as (...args: unknown[]) => void).apply(this, args);
  };
  Worker.prototype.emit = function (...args: unknown[]) {
    if (args[0] === 'message') note('thread-in', '');
    return (emit as (...args: unknown[]) => boolean).apply(this, args);
  };
}

/** Events of each node beyond which no more are kept. */
const EVENTS_MAX = 500_000;

/** From now on; of the sockets that are open. */
export async function startProbe(inspector: Inspector): Promise<void> {
  await evaluate(inspector, `(${install})(${EVENTS_MAX})`);
}

/** In the order of their time. */
export async function stopProbe(inspector: Inspector): Promise<readonly ProbeEvent[]> {
  const text = await evaluate(inspector, 'kvorumProbe.isOn = false; JSON.stringify(kvorumProbe.events)');
  const flat = JSON.parse(text as string) as readonly (string | number)[];
  const events: ProbeEvent[] = [];
  for (let at = 0; at < flat.length; at += 3)
    events.push({
      atMicros: flat[at] as number,
      kind: flat[at + 1] as ProbeEvent['kind'],
      link: flat[at + 2] as string,
    });
  return events;
}

async function evaluate(inspector: Inspector, expression: string): Promise<unknown> {
  const answer = (await inspector.call('Runtime.evaluate', { expression, returnByValue: true })) as {
    readonly result: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
  const problem = answer.exceptionDetails;
  if (problem !== undefined)
    throw new Error(`the probe failed in the node: ${problem.exception?.description}`);
  return answer.result.value;
}
