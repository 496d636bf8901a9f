import { Command, Option } from 'commander';
import { registerBatch } from './commands/batch.ts';
import { registerBench } from './commands/bench.ts';
import { registerCluster } from './commands/cluster.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerExplain, registerLocate, registerRing, registerVerify } from './commands/data.ts';
import { registerDelete } from './commands/delete.ts';
import { registerExport } from './commands/export.ts';
import { registerGet } from './commands/get.ts';
import { registerImport } from './commands/import.ts';
import { registerNamespaces } from './commands/namespaces.ts';
import { registerNodes } from './commands/nodes.ts';
import {
  registerCanStop,
  registerDrain,
  registerFactor,
  registerOperations,
  registerRebalance,
  registerReplace,
} from './commands/operations.ts';
import { registerPut } from './commands/put.ts';
import { registerScan } from './commands/scan.ts';
import { registerShell } from './commands/shell.ts';
import { registerStatus } from './commands/status.ts';
import { registerTopology } from './commands/topology.ts';
import { registerVersion } from './commands/version.ts';
import { KEY_FORMATS } from './lib/key-format.ts';
import { numberBetween, parseUrl } from './lib/parse-option.ts';

const TIMEOUT_MS_MAX = 3_600_000;
const REGISTER = [
  registerPut,
  registerGet,
  registerDelete,
  registerScan,
  registerBatch,
  registerImport,
  registerExport,
  registerStatus,
  registerCluster,
  registerNodes,
  registerDrain,
  registerReplace,
  registerRebalance,
  registerFactor,
  registerOperations,
  registerCanStop,
  registerTopology,
  registerRing,
  registerLocate,
  registerExplain,
  registerVerify,
  registerNamespaces,
  registerVersion,
  registerShell,
  registerBench,
  registerCompletion,
];

/** The commands that talk to a node; main.ts adds those that run one. */
export function buildProgram(): Command {
  const program = new Command('kvorum')
    .description('Kvorum, a distributed key-value store')
    .addOption(
      new Option('--url <url>', 'the node; several, with commas, stand in for each other')
        .env('KVORUM_URL')
        .default('http://127.0.0.1:7400')
        .argParser(parseUrl),
    )
    .addOption(
      new Option(
        '--token-file <file>',
        'holds the token that is shown to nodes (or KVORUM_TOKEN, the token itself)',
      ).env('KVORUM_TOKEN_FILE'),
    )
    .addOption(
      new Option(
        '--ca <file>',
        'PEM file of the authority that signs the certificates of nodes, for https URLs',
      ).env('KVORUM_CA'),
    )
    .addOption(
      new Option('-n, --namespace <name>', 'the namespace').env('KVORUM_NAMESPACE').default('default'),
    )
    .addOption(new Option('--output <form>', 'what is printed').choices(['text', 'json']).default('text'))
    .addOption(
      new Option('--key-format <format>', 'how keys are written').choices(KEY_FORMATS).default('text'),
    )
    .addOption(
      new Option('--timeout <ms>', 'wait for an answer')
        .default(10_000)
        .argParser(numberBetween(1, TIMEOUT_MS_MAX)),
    )
    .option('--no-color', 'no colours (also: the environment variable NO_COLOR)')
    .showHelpAfterError('(kvorum --help lists what there is)')
    .exitOverride();
  for (const register of REGISTER) register(program);
  overrideExit(program);
  return program;
}

/** Commander would end the process by itself, below the top level too. */
export function overrideExit(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) overrideExit(below);
}
