import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { KVORUM_VERSION } from '../../store/version.ts';
import { type LoadOptions, runLoad } from '../bench/load.ts';
import { loadFigures, loadReport } from '../bench/load-report.ts';
import { caOf, tokenSource } from '../lib/new-client.ts';
import { numberBetween, urlsOf } from '../lib/parse-option.ts';
import { formatCount } from '../lib/progress.ts';
import { type GlobalOptions, print, printJson } from '../lib/session.ts';

type BenchFlags = {
  readonly rate?: number;
  readonly connections: number;
  readonly duration: number;
  readonly readShare: number;
  readonly keys: number;
  readonly valueBytes: number;
};

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('put load on a node and show throughput and latency; writes keys named bench-N')
    .option(
      '--rate <n>',
      'requests a second, kept whether the node keeps up or not (open loop)',
      numberBetween(1, 1_000_000),
    )
    .option(
      '--connections <n>',
      'connections; without --rate each sends one request after the other',
      numberBetween(1, 10_000),
      64,
    )
    .option('--duration <seconds>', 'how long', numberBetween(1, 3600), 10)
    .option('--read-share <share>', 'reads among the requests, 0..1', numberBetween(0, 1, 'any'), 0.5)
    .option('--keys <n>', 'distinct keys', numberBetween(1, 1_000_000_000), 10_000)
    .option('--value-bytes <n>', 'bytes of a value', numberBetween(0, 8 << 20), 256)
    .action(async (flags: BenchFlags, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const result = await runLoad(loadOptions(flags, options), (done) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${formatCount(done)} requests`);
      });
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
      if (options.output === 'text') print(loadReport(result));
      printJson({
        bench: 'load',
        commit: KVORUM_VERSION,
        cores: availableParallelism(),
        results: loadFigures(result),
        ratios: {},
      });
    });
}

function loadOptions(flags: BenchFlags, options: GlobalOptions): LoadOptions {
  return {
    url: urlsOf(options.url)[0] as string, // the load goes to one node
    token: tokenSource(options),
    ca: caOf(options),
    namespace: options.namespace,
    ratePerSecond: flags.rate,
    connections: flags.connections,
    durationMs: flags.duration * 1000,
    readShare: flags.readShare,
    keys: flags.keys,
    valueBytes: flags.valueBytes,
    timeoutMs: options.timeout,
  };
}
