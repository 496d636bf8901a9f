import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from '../lib/ledger.ts';
import { freePort, type ServerOptions, ServerProcess } from '../lib/server-process.ts';
import { SmallDisk } from '../lib/small-disk.ts';
import { type Soak, summaryOf, writeAndKill } from './soak.ts';

const DISK_MEGABYTES = 400;
const BALLAST_MEGABYTES = 230;
const RESERVE_BYTES = 96 << 20;
const KINDS = [
  'filled to the last byte',
  'full by its own limit',
  'filled to the last byte',
  'filled behind its back',
] as const;
const EXIT_STORAGE_FAILED = 70;
type Kind = (typeof KINDS)[number];
const RECOVERY_DEADLINE_MS = 10_000;

/**
 * The disk fills up under the writers: writes are refused with 507, reads go on, and writes are taken again when
 * there is room. Every other round something else fills the disk to the last byte, every fourth round the node
 * has not looked, so that a write really fails and the node must end itself, and every round ends with kill -9.
 */
export const fullDiskSoak: Soak = async (run) => {
  const ledger = new Ledger();
  using disk = SmallDisk.create(run.directory, DISK_MEGABYTES);
  const port = await freePort();
  const respPort = await freePort();
  const optionsWith = (looks: boolean): ServerOptions => ({
    directory: `${disk.mountPoint}/node`,
    port,
    settings: {
      'resp.port': respPort,
      'storage.engine': run.engine,
      'storage.reserveBytes': RESERVE_BYTES,
      'storage.memtableBytes': 8 << 20,
      'storage.spaceCheckMs': looks ? 50 : 60_000,
    },
  });
  let failures = 0;
  for (let round = 1; round <= run.rounds; round++) {
    const kind = KINDS[round % KINDS.length] as Kind;
    const server = await ServerProcess.start(optionsWith(kind !== 'filled behind its back'));
    await ledger.verify(server.url);
    const fill = (): void =>
      kind === 'full by its own limit' ? disk.occupy(BALLAST_MEGABYTES) : disk.fillUp();
    await writeUntilRefused(server, ledger, run.writers, fill);
    const hasEnded = await outcomeOf(server, ledger, kind, () => disk.makeRoom());
    if (hasEnded) failures += 1;
    await endRound(server, ledger, run.writers);
    run.progress(`round ${round} of ${run.rounds}: ${kind}, ${ledger.refused} refused so far`);
  }
  const options = optionsWith(true);
  const server = await ServerProcess.start(options);
  await ledger.verify(server.url);
  await server.stop();
  if (ledger.refused === 0) throw new Error('the disk never became full');
  return `${summaryOf(run.rounds, ledger)}, ${failures} times the node ended itself`;
};

/** Writes until the node refuses, or, where it has not looked, ends itself. */
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
    resp: server.respTarget,
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
    if (answer?.status === 204) return;
    if (server.hasExited) break;
    await sleep(25);
  }
  throw new Error(
    `writes were still refused ${RECOVERY_DEADLINE_MS / 1000} s after there was room\n${server.logTail()}`,
  );
}

async function endRound(server: ServerProcess, ledger: Ledger, writers: number): Promise<void> {
  if (!server.hasExited) await writeAndKill(server, ledger, writers, 1024, 100);
}

/**
 * What a full disk did to the node; says whether the node ended itself. Full by its own limit it must go on serving. Where
 * something else took the last byte, a write that was under way may have failed, and then the node must have ended.
 */
async function outcomeOf(
  server: ServerProcess,
  ledger: Ledger,
  kind: Kind,
  makeRoom: () => void,
): Promise<boolean> {
  try {
    if (kind === 'filled behind its back') throw new Error('a write failed, and the node went on');
    await ledger.verify(server.url);
    makeRoom();
    await waitForRecovery(server);
    return false;
  } catch (error) {
    const code = await Promise.race([server.exited, sleep(5000, 'not ended')]);
    makeRoom();
    if (code === EXIT_STORAGE_FAILED && kind !== 'full by its own limit') return true;
    throw new Error(`${kind}: the node ended with ${code}\n${server.logTail()}`, { cause: error });
  }
}
