import { inconsistencies } from './consistency.ts';
import { ConfigError } from './resolve-config.ts';
import { type Config, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

/** What became of a configuration that was read while the node runs. */
export type ConfigChange = {
  /** Live settings that have another value from now on. */
  readonly changed: readonly SettingName[];
  /** Settings that the last one that was read gives another value, which counts at the next start. */
  readonly restartNeeded: readonly SettingName[];
};

/**
 * The settings of a node that runs. Those that are live change in place: whoever reads `config`, or an object of `settingsAs`, at each
 * use follows them, and nobody else does. The others stay what they were at the start.
 */
export class LiveConfig {
  readonly config: Config;
  readonly #asked: Config;
  readonly #listeners: ((change: ConfigChange) => void)[] = [];
  #restartNeeded: readonly SettingName[] = [];

  /** `chosen`: what the start made of what was asked for, such as a free port of 0. */
  constructor(asked: Config, chosen: Partial<Config> = {}) {
    this.#asked = { ...asked };
    this.config = { ...asked, ...chosen };
  }

  get restartNeeded(): readonly SettingName[] {
    return this.#restartNeeded;
  }

  /** `listener` is told of each change from now on, of those that change no live setting too. */
  onChange(listener: (change: ConfigChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Throws ConfigError where the live settings of `next` do not fit those that count until the next start. */
  check(next: Config): void {
    const problems = inconsistencies({ ...this.config, ...valuesOf(next, LIVE) });
    if (problems.length === 0) return;
    throw new ConfigError(problems.map((problem) => `${problem} (before a restart)`));
  }

  /** Throws as `check` does, and changes nothing then. */
  take(next: Config): ConfigChange {
    this.check(next);
    const changed = LIVE.filter((name) => !isSame(this.config[name], next[name]));
    Object.assign(this.config, valuesOf(next, changed));
    this.#restartNeeded = FIXED.filter((name) => !isSame(this.#asked[name], next[name]));
    const change = { changed, restartNeeded: this.#restartNeeded };
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}

const LIVE = SETTING_NAMES.filter((name) => SETTINGS[name].isLive);
const FIXED = SETTING_NAMES.filter((name) => !SETTINGS[name].isLive);

function valuesOf(config: Config, names: readonly SettingName[]): Partial<Config> {
  return Object.fromEntries(names.map((name) => [name, config[name]]));
}

/** Values are scalars, and lists of them. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

type OptionsOf<Names extends Readonly<Record<string, SettingName>>> = {
  readonly [Option in keyof Names]: Config[Names[Option]];
};

/**
 * Settings by the names that whoever gets them has for them, and `fixed` beside them. A live one is read of `config` at each use, so
 * the object must be kept as it is: a spread copies the values of that moment.
 */
export function settingsAs<const Names extends Readonly<Record<string, SettingName>>, Fixed = unknown>(
  config: Config,
  names: Names,
  fixed?: Fixed,
): OptionsOf<Names> & Fixed {
  const options: object = { ...fixed };
  for (const [option, name] of Object.entries(names)) {
    const value = SETTINGS[name].isLive ? { get: () => config[name] } : { value: config[name] };
    Object.defineProperty(options, option, { ...value, enumerable: true });
  }
  return options as OptionsOf<Names> & Fixed;
}
