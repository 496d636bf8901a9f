import { type Command, Option } from 'commander';
import { numberBetween } from './lib/parse-option.ts';

const PORT_MAX = 65_535;
const WORKERS_MAX = 100;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

type OperatorFlags = {
  readonly httpPort: number;
  readonly logLevel: string;
  readonly watchNamespaces?: readonly string[];
  readonly workers: number;
  readonly kubeconfig?: string;
  readonly context?: string;
};

/** `kvorum operator`. What it takes to run one is loaded when it is run. */
export function registerOperator(program: Command): void {
  program
    .command('operator')
    .description('run the operator of KVClusters, in Kubernetes or beside it')
    .addOption(
      new Option('--http-port <port>', 'where /livez, /readyz and /metrics are; 0 for any')
        .default(8080)
        .argParser(numberBetween(0, PORT_MAX)),
    )
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LEVELS).default('info'))
    .option('--watch-namespaces <names>', 'namespaces of KVClusters, with commas; default: all', namesIn)
    .addOption(
      new Option('--workers <count>', 'KVClusters that are worked on at the same time')
        .default(4)
        .argParser(numberBetween(1, WORKERS_MAX)),
    )
    .option('--kubeconfig <file>', 'how Kubernetes is reached; default: KUBECONFIG, or the service account')
    .option('--context <name>', 'another context of the kubeconfig than its current one')
    .action(async (flags: OperatorFlags) => {
      const { runOperator } = await import('../operator/main.ts');
      process.exitCode = await runOperator(flags);
    });
}

function namesIn(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
