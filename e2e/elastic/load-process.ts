import type { Ask, Reply } from './commands.ts';
import { ElasticLoad } from './load.ts';

/** The load in a process of its own, so that what it costs, and what waits for it, is not mixed with the test. */
let load: ElasticLoad | undefined;

async function answer(message: Ask): Promise<unknown> {
  if (message.name === 'begin') {
    load = new ElasticLoad(message.ask);
    return undefined;
  }
  if (load === undefined) throw new Error(`${message.name} before begin`);
  switch (message.name) {
    case 'target':
      return load.target(message.ask);
    case 'fill':
      return load.fill();
    case 'capacity':
      return load.capacity(message.ask.connections, message.ask.durationMs);
    case 'open':
      return load.open(message.ask);
    case 'phase':
      return load.phase();
    case 'stop':
      return load.stop();
    case 'check':
      return { keys: await load.check(), unknown: load.ledger.unknown };
  }
}

process.on('message', (message: Ask) => {
  const reply = (text: Reply): void => void process.send?.(text);
  answer(message).then(
    (value) => reply({ id: message.id, ...(value !== undefined && { answer: value }) }),
    (error: Error) => reply({ id: message.id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
