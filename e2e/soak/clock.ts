import { ensureFaketime, faketimeEnvironment } from '../lib/faketime.ts';
import { Ledger } from '../lib/ledger.ts';
import { freePort, ServerProcess } from '../lib/server-process.ts';
import { type Soak, summaryOf, writeAndKill } from './soak.ts';

/** The wall clock jumps between rounds, an hour back or forth; versions only grow (the ledger checks each) and nothing is lost. */
export const clockSoak: Soak = async (run) => {
  ensureFaketime();
  const ledger = new Ledger();
  const port = await freePort();
  const settings = {
    'storage.engine': run.engine,
    'storage.reserveBytes': 0,
    'resp.port': await freePort(),
  };
  const offsets = ['+0', '-3600s', '+7200s', '-7200s', '-1s', '+86400s', '-86400s'];
  for (let round = 1; round <= run.rounds; round++) {
    const offset = offsets[round % offsets.length] as string;
    const environment = faketimeEnvironment(offset);
    const server = await ServerProcess.start({ directory: run.directory, port, settings, environment });
    await ledger.verify(server.url);
    await writeAndKill(server, ledger, run.writers, 256, 300);
    run.progress(
      `round ${round} of ${run.rounds}: clock at ${offset}, ${ledger.acknowledged} acknowledged so far`,
    );
  }
  const server = await ServerProcess.start({ directory: run.directory, port, settings });
  await ledger.verify(server.url);
  await server.stop();
  return summaryOf(run.rounds, ledger);
};
