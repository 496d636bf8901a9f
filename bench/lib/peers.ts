import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { ensureDebianPackage } from '../../e2e/lib/debian.ts';

/** A server process that a benchmark started, and ends. */
export type Peer = { readonly port: number; close(): Promise<void> };

/** Requests a second of each kind, with 64 connections and 256-byte values. */
export type PeerRates = { readonly puts: number; readonly gets: number };

async function startPeer(
  command: string,
  args: readonly string[],
  port: number,
  readyText: string,
): Promise<Peer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await outputContains(child, readyText);
  return {
    port,
    async close() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function outputContains(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes(text)) resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnfile} ended with ${code}: ${output.slice(-500)}`)),
    );
  });
}

export function startBareExpress(port: number): Promise<Peer> {
  return startPeer(process.execPath, ['bench/lib/bare-express.ts', String(port)], port, 'ready');
}

/** redis-server that fsyncs its log before it answers a write. */
export function startRedis(port: number, directory: string): Promise<Peer> {
  ensureDebianPackage('redis-server', '/usr/bin/redis-server');
  mkdirSync(directory, { recursive: true });
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
    '--save',
    '',
  ];
  return startPeer('/usr/bin/redis-server', args, port, 'Ready to accept connections');
}

export function measureRedis(peer: Peer, seconds: number): PeerRates {
  const rate = (test: 'set' | 'get', requests: number): number => {
    const args = [
      '-p',
      String(peer.port),
      '-c',
      '64',
      '-d',
      '256',
      '-r',
      '10000',
      '-n',
      String(requests),
      '-t',
      test,
      '--csv',
    ];
    const lines = execFileSync('redis-benchmark', args, { encoding: 'utf8' }).trim().split('\n');
    return Number((lines.at(-1) as string).split(',')[1]?.replaceAll('"', ''));
  };
  const sample = (test: 'set' | 'get'): number => rate(test, Math.round(rate(test, 5000) * seconds));
  return { puts: sample('set'), gets: sample('get') };
}

/** Builds a Go program of bench/; undefined, with a word on the terminal, where Go is missing. */
export function buildGo(program: 'etcd' | 'http-load' | 'resp-load', target: string): string | undefined {
  try {
    execFileSync('go', ['build', '-o', target, '.'], {
      cwd: `bench/${program}`,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return target;
  } catch (error) {
    const [why] = (error as Error).message.split('\n', 1);
    process.stderr.write(
      `bench/${program} is left out: go build failed (${why}); Go is needed: apt-get install golang\n`,
    );
    return undefined;
  }
}

export function startEtcd(binary: string, port: number, directory: string): Promise<Peer> {
  return startPeer(binary, ['serve', String(port), directory], port, 'ready');
}

export function measureEtcd(binary: string, peer: Peer, seconds: number): PeerRates {
  const output = execFileSync(binary, ['load', String(peer.port), '64', String(seconds)], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as PeerRates;
}
