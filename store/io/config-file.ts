import type { ConfigChange, LiveConfig } from '../config/live-config.ts';
import {
  ConfigError,
  type ConfigSources,
  type ResolvedConfig,
  resolveConfig,
} from '../config/resolve-config.ts';
import { SETTING_NAMES, SETTINGS } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import { fileHash } from './file-hash.ts';
import type { ConfigStatus, Logger, SettingInEffect } from './http/http-context.ts';
import type { Metrics } from './metrics.ts';
import { lookRegularly, Reloaded } from './reloaded.ts';

/** The settings of a node that runs, and what became of its settings file. */
export type ConfigFile = Disposable & {
  /** Reads the file now where it has changed; else that is seen within `LOOK_MS`. Never rejects. */
  look(): Promise<void>;
  status(): ConfigStatus;
  /** In the order of docs/configuration.md. */
  settings(): readonly SettingInEffect[];
};

type Deps = { readonly clock: Clock; readonly log: Logger; readonly metrics: Pick<Metrics, 'watchConfig'> };

/** So long a new file may lie there unread. */
const LOOK_MS = 1000;

/**
 * Follows the settings file: a new one is judged as a whole, with the environment and the flags of the start; of one that can be used the
 * live settings count at once, and the others are told of; one that cannot be used changes nothing. Rejects where it cannot be
 * used now.
 */
export async function followConfigFile(
  live: LiveConfig,
  { resolved, sources }: { readonly resolved: ResolvedConfig; readonly sources: ConfigSources },
  { clock, log, metrics }: Deps,
): Promise<ConfigFile> {
  const { file } = sources;
  const read = file && (await openFile(file.path, { live, sources, log }));
  let last = resolved;
  const take = (next: ResolvedConfig): void => {
    last = next;
    tell(live, live.take(next.config), log);
  };
  if (read !== undefined) {
    read.reloaded.onChange(({ resolved: next }) => take(next));
    // It may have changed since the start read it.
    take(read.reloaded.value.resolved);
  }
  const status = (): ConfigStatus => ({ ...read?.status(), restartNeeded: live.restartNeeded });
  metrics.watchConfig(() => ({
    isStale: read?.reloaded.isStale,
    restartNeeded: live.restartNeeded.length,
  }));
  const looking = read && lookRegularly(LOOK_MS, [read.reloaded], clock);
  return {
    look: async () => await read?.reloaded.look(),
    status,
    settings: () => settingsInEffect(live, last),
    [Symbol.dispose]: () => looking?.[Symbol.dispose](),
  };
}

type Parts = { readonly live: LiveConfig; readonly sources: ConfigSources; readonly log: Logger };

type FileRead = { readonly resolved: ResolvedConfig; readonly hash: string };

async function openFile(path: string, { live, sources, log }: Parts) {
  let seenHash: string | undefined;
  let problem: string | undefined;
  const reloaded = await Reloaded.open<FileRead>({
    files: [path],
    name: `the settings file ${path}`,
    read([content = Buffer.alloc(0)]) {
      seenHash = fileHash(content);
      const resolved = usable(() =>
        resolveConfig({ ...sources, file: { path, text: content.toString('utf8') } }),
      );
      usable(() => live.check(resolved.config));
      return { resolved, hash: seenHash };
    },
    onError(reason) {
      problem = reason;
      log.error({ reason }, 'a new settings file cannot be used: the settings before it stay in effect');
    },
  });
  const status = () => ({
    file: path,
    fileHash: reloaded.value.hash,
    ...(reloaded.isStale && { problem, refusedHash: seenHash }),
  });
  return { reloaded, status };
}

/** In one line: what is wrong is told in a log and in a document. */
function usable<T>(resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (error instanceof ConfigError) throw new Error(error.problems.join('; '), { cause: error });
    throw error;
  }
}

function tell({ config }: LiveConfig, { changed, restartNeeded }: ConfigChange, log: Logger): void {
  if (changed.length > 0) {
    const settings = Object.fromEntries(changed.map((name) => [name, config[name]]));
    log.info({ settings }, 'settings have changed, and count from now on');
  }
  if (restartNeeded.length > 0)
    log.warn({ settings: restartNeeded }, `restart needed for: ${restartNeeded.join(', ')}`);
}

function settingsInEffect(live: LiveConfig, { config, origins }: ResolvedConfig): readonly SettingInEffect[] {
  const waiting = new Set(live.restartNeeded);
  return SETTING_NAMES.map((name) => ({
    name,
    value: live.config[name],
    origin: origins[name],
    isLive: SETTINGS[name].isLive,
    ...(waiting.has(name) && { afterRestart: config[name] }),
  }));
}
