import { Ledger } from '../lib/ledger.ts';
import { freePort, ServerProcess } from '../lib/server-process.ts';
import { type Soak, summaryOf, writeAndKill } from './soak.ts';

/** kill -9 under concurrent writers: every acknowledged write is there after the restart, with its value. */
export const killSoak: Soak = async (run) => {
  const ledger = new Ledger();
  const options = {
    directory: run.directory,
    port: await freePort(),
    settings: { 'storage.engine': run.engine, 'storage.reserveBytes': 0, 'resp.port': await freePort() },
  };
  for (let round = 1; round <= run.rounds; round++) {
    const server = await ServerProcess.start(options);
    await ledger.verify(server.url);
    await writeAndKill(server, ledger, run.writers, 256, 300 + 50 * (round % 8));
    run.progress(
      `round ${round} of ${run.rounds}: killed under ${run.writers} writers, ${ledger.acknowledged} acknowledged so far`,
    );
  }
  const server = await ServerProcess.start(options);
  await ledger.verify(server.url);
  const code = await server.stop();
  if (code !== 0) throw new Error(`SIGTERM ended the node with ${code}`);
  return summaryOf(run.rounds, ledger);
};
