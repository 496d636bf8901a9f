import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * `relay.ts --from ADDRESS --to ADDRESS` passes connections on until it is stopped. An address is HOST:PORT or the path of a socket;
 * by the latter two network namespaces meet.
 */

const { values } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } });
const from = addressOf(values.from);
const to = addressOf(values.to);

const server = createServer((near) => {
  const far = connect(to);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
  near.pipe(far);
  far.pipe(near);
});
if ('path' in from) rmSync(from.path, { force: true });
server.on('error', ({ message }) => {
  process.stderr.write(`relay: ${message}\n`);
  process.exitCode = 1;
});
server.listen(from);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    if ('path' in from) rmSync(from.path, { force: true });
    process.exit(0);
  });
}

type Address = { readonly path: string } | { readonly host: string; readonly port: number };

function addressOf(text: string | undefined): Address {
  if (text === undefined) throw new Error('Say both: relay.ts --from ADDRESS --to ADDRESS');
  if (text.startsWith('/')) return { path: text };
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}
