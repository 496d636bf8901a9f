import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../storage/engine.ts';
import { ENGINE_DEFAULTS, openEngine } from './open-engine.ts';
import { whyRocksdbIsUnavailable } from './rocksdb/binding.ts';

/**
 * Acknowledged means on stable storage, shown from outside the process: by its system calls, and by taking
 * the raw disk away after the acknowledgements. Needs the Debian packages strace, mount and e2fsprogs.
 */
const CHILD = fileURLToPath(new URL('./fsync-trace-child.ts', import.meta.url));
const RECORDS = 40;
const IMAGE_MIB = 96;

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const canMount =
  process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mkfs.ext4', ['-V']).status === 0;
const engines: EngineName[] = whyRocksdbIsUnavailable() === undefined ? ['rocksdb', 'leveldb'] : ['leveldb'];

for (const name of engines) {
  const noStrace = hasStrace ? false : 'strace is missing: apt-get install strace';
  test(`${name}: an fsync lies between each log write and its acknowledgement`, { skip: noStrace }, () => {
    const place = mkdtempSync(join(tmpdir(), 'kvorum-trace-'));
    try {
      assertSyncedBeforeAck(traceOf(name, place));
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  const noMount = canMount
    ? false
    : 'a power cut needs root on Linux, and mkfs.ext4: apt-get install e2fsprogs mount';
  test(`${name}: a raw copy of the disk holds every acknowledged write`, { skip: noMount }, async () => {
    const place = mkdtempSync(join(tmpdir(), 'kvorum-power-'));
    try {
      await assertSurvivesPowerCut(name, place);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });
}

function traceOf(name: EngineName, place: string): string[] {
  const trace = join(place, 'trace');
  const calls = 'trace=write,pwrite64,writev,fsync,fdatasync';
  const child = [
    process.execPath,
    CHILD,
    name,
    join(place, 'store'),
    join(place, 'acks'),
    String(RECORDS),
    'close',
  ];
  execFileSync('strace', ['-f', '-y', '-s', '400', '-e', calls, '-o', trace, ...child], { timeout: 60_000 });
  return readFileSync(trace, 'utf8').split('\n');
}

/** For each record: its write to the log, then the end of a sync of a log, then its mark in the file of acks. */
function assertSyncedBeforeAck(lines: readonly string[]): void {
  for (let i = 0; i < RECORDS; i++) {
    const marker = `record-${String(i).padStart(6, '0')}`;
    const written = lines.findIndex((line) => line.includes(marker) && line.includes('.log>'));
    const acked = lines.findIndex((line) => line.includes(`ack-${marker}`));
    assert.ok(written >= 0 && acked > written, `${marker}: written at ${written}, acknowledged at ${acked}`);
    assert.ok(hasSync(lines.slice(written + 1, acked)), `${marker} was acknowledged before it was synced`);
  }
}

/** Whether a sync of a log begins and succeeds within `lines`; strace splits a call that others interrupt. */
function hasSync(lines: readonly string[]): boolean {
  const began = lines.findIndex((line) => /f(data)?sync\(\d+<[^>]*\.log>/.test(line));
  if (began < 0) return false;
  const [thread] = (lines[began] as string).split(' ', 1) as [string];
  return lines.slice(began).some((line) => line.startsWith(`${thread} `) && /f(data)?sync.*= 0$/.test(line));
}

async function assertSurvivesPowerCut(name: EngineName, place: string): Promise<void> {
  const [image, copy] = [join(place, 'disk'), join(place, 'copy')];
  execFileSync('truncate', ['-s', `${IMAGE_MIB}M`, image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  await withMounted(image, join(place, 'mnt'), async (directory) => {
    const child = spawn(process.execPath, [
      CHILD,
      name,
      join(directory, 'store'),
      join(place, 'acks'),
      String(RECORDS),
      'hold',
    ]);
    try {
      await acknowledged(child);
      copyFileSync(image, copy);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  await withMounted(copy, join(place, 'mnt-copy'), (directory) =>
    assertAllThere(name, join(directory, 'store')),
  );
}

async function acknowledged(child: ChildProcess): Promise<void> {
  let failure = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    failure += chunk.toString();
  });
  const [first] = await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data'),
    once(child, 'close'),
  ]);
  assert.match(String(first), /acknowledged/, failure);
}

async function withMounted(
  image: string,
  at: string,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  mkdirSync(at);
  execFileSync('mount', ['-o', 'loop', image, at]);
  try {
    await use(at);
  } finally {
    execFileSync('umount', [at]);
  }
}

async function assertAllThere(name: EngineName, location: string): Promise<void> {
  const clock = { nowMs: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };
  const random = { unit: () => 0, bytes: (length: number) => new Uint8Array(length) };
  const { engine } = await openEngine(name, { ...ENGINE_DEFAULTS, location }, { clock, random });
  const keys = Array.from({ length: RECORDS }, (_, i) =>
    new TextEncoder().encode(`record-${String(i).padStart(6, '0')}`),
  );
  const values = await engine.getMany(keys);
  await engine.close();
  assert.deepEqual(
    values.map((value) => value && Buffer.from(value).toString()),
    keys.map((key) => Buffer.from(key).toString()),
  );
}
