import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { type LocalNode, writePid } from './local-node.ts';

const MAIN = `${import.meta.dirname}/../main.ts`;
const REPLICATION_FACTOR_MAX = 3;

export type Exit = { code: number | string | undefined };

/** Starts a node in the background; `code` is set should it end while this process runs. */
export function startLocalNode(node: LocalNode, nodes: readonly LocalNode[]): Exit {
  const flags = flagsOf(node, nodes);
  mkdirSync(node.directory, { recursive: true });
  const log = openSync(node.logFile, 'a');
  const child = spawn(process.execPath, [MAIN, 'server', ...flags], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const exit: Exit = { code: undefined };
  child.once('exit', (code, signal) => {
    exit.code = code ?? signal ?? 'unknown';
  });
  writePid(node, child.pid as number);
  return exit;
}

function flagsOf(node: LocalNode, nodes: readonly LocalNode[]): readonly string[] {
  const seeds = nodes.filter((other) => other !== node).map((other) => other.peerAddress);
  // Should the directory of the first node be lost, it must not begin a second cluster beside that of the others.
  const others = nodes.filter((other) => other !== node && existsSync(other.dataDir));
  const makesCluster = node.index === 1 && (existsSync(node.dataDir) || others.length === 0);
  return [
    ...['--name', node.name, '--data-dir', node.dataDir],
    ...['--http-port', String(node.httpPort), '--peer-port', String(node.peerPort)],
    ...['--set', `resp.port=${node.respPort}`],
    ...['--replication-factor', String(Math.min(nodes.length, REPLICATION_FACTOR_MAX))],
    ...['--set', `cluster.initialMembers=${nodes.length}`],
    ...(seeds.length > 0 ? ['--seeds', seeds.join(',')] : []),
    ...(makesCluster ? ['--bootstrap'] : []),
  ];
}
