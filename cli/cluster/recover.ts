import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  carryOutRecovery,
  planRecovery,
  RecoverDirectoryError,
  type RecoveryPlan,
} from '../../store/cluster/recover-directory.ts';
import { ENGINE_DEFAULTS, openEngine } from '../../store/io/open-engine.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { EngineLockedError } from '../../store/storage/engine.ts';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { type GlobalOptions, print, printJson } from '../lib/session.ts';
import { formatDone, formatNextStep, formatReport } from './recover-text.ts';

/** Those that keep anything when a node stops. */
const ENGINES = ['rocksdb', 'leveldb'] as const;

type RecoverFlags = {
  readonly dataDir: string;
  readonly engine: (typeof ENGINES)[number] | 'auto';
  readonly confirm?: string;
};

/** `kvorum cluster recover`: works on the directory of a stopped node, so it needs the server's code and no node. */
export function registerRecover(program: Command): void {
  const group = program.commands.find((command) => command.name() === 'cluster');
  if (group === undefined)
    throw new Error('the command `cluster` must be registered before `cluster recover`');
  group
    .command('recover')
    .description(
      'go on with this one stopped node where a majority of the voters is gone for good; reports what may be lost, ' +
        'and changes nothing without --confirm',
    )
    .requiredOption('--data-dir <dir>', 'the data directory of the node that goes on; it must be stopped')
    .addOption(
      new Option('--engine <name>', 'its storage engine').choices([...ENGINES, 'auto']).default('auto'),
    )
    .option('--confirm <cluster id>', 'do it: repeat the id of the old cluster, as it was reported')
    .action(async (flags: RecoverFlags, command: Command) => {
      const { output } = command.optsWithGlobals<GlobalOptions>();
      const plan = await recover(flags);
      if (output === 'json') printJson(asJson(plan, flags));
      else print(asText(plan, flags));
    });
}

async function recover({ dataDir, engine: name, confirm }: RecoverFlags): Promise<RecoveryPlan> {
  requireStore(dataDir);
  try {
    await using closing = new AsyncDisposableStack();
    const options = { ...ENGINE_DEFAULTS, location: dataDir };
    const { engine } = await openEngine(name, options, { clock: systemClock, random: systemRandom });
    closing.defer(() => engine.close());
    const plan = await planRecovery({ engine, random: systemRandom });
    if (confirm !== undefined) await carryOutRecovery(engine, plan, confirm);
    return plan;
  } catch (error) {
    throw asRefusal(error, dataDir);
  }
}

/** Opening an engine makes its store where there is none: a mistyped directory must not become one. */
function requireStore(dataDir: string): void {
  if (ENGINES.some((engine) => existsSync(join(dataDir, engine)))) return;
  throw new CliError(
    EXIT.refused,
    `${dataDir} is no data directory of a node: it holds neither ${ENGINES.join(' nor ')}; give the node.dataDir of the node that goes on`,
  );
}

/** Whatever keeps a directory from being opened is said as `kvorum server` does: by its message. */
function asRefusal(error: unknown, dataDir: string): CliError {
  const { message } = error as Error;
  const options = { cause: error };
  if (error instanceof RecoverDirectoryError && error.code === 'WRONG_CONFIRMATION')
    return new CliError(EXIT.usage, message, options);
  if (error instanceof EngineLockedError)
    return new CliError(
      EXIT.refused,
      `${dataDir} is in use by a running node: stop that first (${message})`,
      options,
    );
  return new CliError(EXIT.refused, `${dataDir} cannot be recovered: ${message}`, options);
}

function asText({ report, identity }: RecoveryPlan, { dataDir, confirm }: RecoverFlags): string {
  const end =
    confirm === undefined ? formatNextStep(report, dataDir) : formatDone(identity.clusterId, report);
  return formatReport(report) + end;
}

function asJson({ report, identity, topology }: RecoveryPlan, { confirm }: RecoverFlags): object {
  const made = { clusterId: identity.clusterId, epoch: topology.epoch };
  return { recovered: confirm !== undefined, ...report, ...(confirm === undefined ? {} : { made }) };
}
