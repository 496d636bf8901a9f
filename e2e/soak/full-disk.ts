import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from '../lib/ledger.ts';
import { freePort, ServerProcess } from '../lib/server-process.ts';
import { SmallDisk } from '../lib/small-disk.ts';
import { type Soak, summaryOf, writeAndKill } from './soak.ts';

const DISK_MEGABYTES = 400;
const BALLAST_MEGABYTES = 150;
const RECOVERY_DEADLINE_MS = 10_000;

/**
 * The disk fills up under the writers: writes are refused with 507, reads go on, and writes are taken again when
 * there is room. Every other round something else fills the disk to the last byte, and every round ends with kill -9.
 */
export const fullDiskSoak: Soak = async (run) => {
  const ledger = new Ledger();
  using disk = SmallDisk.create(run.directory, DISK_MEGABYTES);
  const options = {
    directory: `${disk.mountPoint}/node`,
    port: await freePort(),
    settings: {
      'storage.engine': run.engine,
      'storage.reserveBytes': 96 << 20,
      'storage.memtableBytes': 8 << 20,
      'storage.spaceCheckMs': 50,
    },
  };
  for (let round = 1; round <= run.rounds; round++) {
    const server = await ServerProcess.start(options);
    await ledger.verify(server.url);
    const isFilledByOthers = round % 2 === 0;
    await writeUntilRefused(server, ledger, run.writers, () =>
      isFilledByOthers ? disk.fillUp() : disk.occupy(BALLAST_MEGABYTES),
    );
    if (!server.hasExited) await ledger.verify(server.url);
    disk.makeRoom();
    if (!server.hasExited) await waitForRecovery(server);
    await endRound(server, ledger, run.writers);
    run.progress(
      `round ${round} of ${run.rounds}: ${isFilledByOthers ? 'filled to the last byte' : 'full by its own limit'}, ${ledger.refused} refused so far`,
    );
  }
  const server = await ServerProcess.start(options);
  await ledger.verify(server.url);
  await server.stop();
  if (ledger.refused === 0) throw new Error('the disk never became full');
  return summaryOf(run.rounds, ledger);
};

async function writeUntilRefused(
  server: ServerProcess,
  ledger: Ledger,
  writers: number,
  fill: () => void,
): Promise<void> {
  const stop = new AbortController();
  const before = ledger.refused;
  const writing = ledger.write(server.url, {
    writers,
    keysPerWriter: 50,
    valueBytes: 16_384,
    signal: stop.signal,
  });
  await sleep(200);
  fill();
  for (let i = 0; i < 400 && ledger.refused === before && !server.hasExited; i++) await sleep(25);
  stop.abort();
  await writing;
}

/** The node takes writes again by itself. */
async function waitForRecovery(server: ServerProcess): Promise<void> {
  const end = performance.now() + RECOVERY_DEADLINE_MS;
  while (performance.now() < end) {
    const answer = await fetch(`${server.url}/v1/kv/default/probe`, { method: 'PUT', body: 'x' }).catch(
      () => undefined,
    );
    if (answer?.status === 204 || server.hasExited) return;
    await sleep(25);
  }
  throw new Error(
    `writes were still refused ${RECOVERY_DEADLINE_MS / 1000} s after there was room\n${server.logTail()}`,
  );
}

async function endRound(server: ServerProcess, ledger: Ledger, writers: number): Promise<void> {
  if (!server.hasExited) return writeAndKill(server, ledger, writers, 1024, 100);
  // A write that met a full disk all the same: the node must have said so and ended itself.
  const code = await server.exited;
  if (code === 0) throw new Error('the node ended with 0 although its storage failed');
}
