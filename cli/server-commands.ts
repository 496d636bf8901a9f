import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  ConfigError,
  type ConfigSources,
  type ResolvedConfig,
  resolveConfig,
} from '../store/config/resolve-config.ts';
import { environmentName, SETTING_NAMES, SETTINGS, type SettingName } from '../store/config/settings.ts';
import { runServer } from '../store/main.ts';
import { registerRecover } from './cluster/recover.ts';
import { registerOperator } from './operator-command.ts';

const EXIT_USAGE = 2;

/** Flags for the settings that are set most; every other one has `--set NAME=VALUE`. */
const SHORTCUTS: Readonly<Record<string, SettingName>> = {
  name: 'node.name',
  dataDir: 'node.dataDir',
  httpHost: 'http.host',
  httpPort: 'http.port',
  peerHost: 'peer.host',
  peerPort: 'peer.port',
  bootstrap: 'cluster.bootstrap',
  replicationFactor: 'cluster.replicationFactor',
  seeds: 'cluster.seeds',
  zone: 'node.zone',
  engine: 'storage.engine',
  logLevel: 'log.level',
};

type ServerFlags = { readonly config?: string; readonly set: readonly string[] } & Readonly<
  Record<string, unknown>
>;

/** `kvorum server`, `kvorum config`, `kvorum cluster recover` and `kvorum operator`. */
export function registerServerCommands(program: Command): void {
  registerRecover(program);
  registerOperator(program);
  withSettings(program.command('server').description('run a node in the foreground')).action(
    async (flags: ServerFlags) => {
      const read = resolveOrSay(flags);
      process.exitCode = read === undefined ? EXIT_USAGE : await runServer(read.resolved, read.sources);
    },
  );
  withSettings(
    program.command('config').description('print the effective settings, and where each comes from'),
  ).action((flags: ServerFlags, command: Command) => {
    const read = resolveOrSay(flags);
    if (read === undefined) process.exitCode = EXIT_USAGE;
    else
      process.stdout.write(
        command.optsWithGlobals().output === 'json' ? asJson(read.resolved) : asTable(read.resolved),
      );
  });
}

function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'YAML file of settings (or KVORUM_CONFIG)')
    .option('--name <name>', SETTINGS['node.name'].help)
    .option('--data-dir <dir>', SETTINGS['node.dataDir'].help)
    .option('--http-host <address>', SETTINGS['http.host'].help)
    .option('--http-port <port>', SETTINGS['http.port'].help)
    .option('--peer-host <address>', SETTINGS['peer.host'].help)
    .option('--peer-port <port>', SETTINGS['peer.port'].help)
    .option('--bootstrap', SETTINGS['cluster.bootstrap'].help)
    .option('--replication-factor <count>', SETTINGS['cluster.replicationFactor'].help)
    .option('--seeds <addresses>', SETTINGS['cluster.seeds'].help)
    .option('--zone <zone>', SETTINGS['node.zone'].help)
    .option('--engine <name>', SETTINGS['storage.engine'].help)
    .option('--log-level <level>', SETTINGS['log.level'].help)
    .option(
      '--set <name=value>',
      'any setting; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    );
}

type Read = { readonly resolved: ResolvedConfig; readonly sources: ConfigSources };

function resolveOrSay(flags: ServerFlags): Read | undefined {
  try {
    const sources = {
      file: readConfigFile(flags.config ?? process.env.KVORUM_CONFIG),
      environment: process.env,
      flags: flagsOf(flags),
    };
    return { resolved: resolveConfig(sources), sources };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`kvorum: ${error.message}\n`);
    return undefined;
  }
}

function readConfigFile(path: string | undefined): ConfigSources['file'] {
  if (path === undefined) return undefined;
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new ConfigError([`file ${path} cannot be read: ${(error as Error).message}`]);
  }
}

function flagsOf(flags: ServerFlags): ConfigSources['flags'] {
  const shortcuts = Object.entries(SHORTCUTS).flatMap(([option, name]) => {
    const value = flags[option] === true ? 'true' : flags[option];
    return typeof value === 'string'
      ? [{ name, value, flag: `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` }]
      : [];
  });
  const others = flags.set.map((text) => {
    const [name = '', ...rest] = text.split('=');
    return { name, value: rest.join('='), flag: `--set ${text}` };
  });
  return [...shortcuts, ...others];
}

function asJson({ config, origins }: ResolvedConfig): string {
  const settings = SETTING_NAMES.map((name) => ({
    name,
    value: config[name],
    origin: origins[name],
    default: SETTINGS[name].default,
    environment: environmentName(name),
    help: SETTINGS[name].help,
    isLive: SETTINGS[name].isLive,
  }));
  return `${JSON.stringify({ settings }, undefined, 2)}\n`;
}

function asTable({ config, origins }: ResolvedConfig): string {
  const width = Math.max(...SETTING_NAMES.map((name) => name.length));
  const valueWidth = Math.max(...SETTING_NAMES.map((name) => String(config[name]).length));
  return SETTING_NAMES.map(
    (name) => `${name.padEnd(width)}  ${String(config[name]).padEnd(valueWidth)}  ${origins[name]}\n`,
  ).join('');
}
