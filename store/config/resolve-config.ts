import { parse as parseYaml } from 'yaml';
import { inconsistencies } from './consistency.ts';
import {
  type Config,
  environmentName,
  isSettingName,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from './settings.ts';

/** Where settings come from; each source overrides the ones before it: defaults < file < environment < flags. */
export type ConfigSources = {
  readonly file?: { readonly path: string; readonly text: string } | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values as given on the command line, by setting name; the name may be unknown. */
  readonly flags: readonly { readonly name: string; readonly value: string; readonly flag: string }[];
};

export type ResolvedConfig = {
  readonly config: Config;
  /** Per setting, where its value came from, in words. */
  readonly origins: { readonly [K in SettingName]: string };
};

/** Lists everything that is wrong at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

type Candidate = { readonly value: unknown; readonly origin: string };

export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const chosen = new Map<string, Candidate>();
  for (const name of SETTING_NAMES) chosen.set(name, { value: SETTINGS[name].default, origin: 'default' });
  const take = (name: string, value: unknown, origin: string): void => {
    if (!isSettingName(name)) problems.push(`${origin}: there is no setting '${name}'${didYouMean(name)}`);
    else {
      const problem = check(name, value);
      if (problem === undefined) chosen.set(name, { value, origin });
      else problems.push(`${origin}: ${name} ${problem}`);
    }
  };

  for (const { name, value } of fromFile(sources.file, problems))
    take(name, value, `file ${sources.file?.path}`);
  for (const { name, variable, text } of fromEnvironment(sources.environment, problems)) {
    take(name, fromText(name, text), `environment ${variable}`);
  }
  for (const { name, value, flag } of sources.flags) {
    take(name, isSettingName(name) ? fromText(name, value) : value, `flag ${flag}`);
  }

  const config = Object.fromEntries([...chosen].map(([name, { value }]) => [name, value])) as Config;
  if (problems.length === 0) problems.push(...inconsistencies(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config,
    origins: Object.fromEntries(
      [...chosen].map(([name, { origin }]) => [name, origin]),
    ) as ResolvedConfig['origins'],
  };
}

/** What is wrong with `value`, with what is allowed; undefined where nothing is. */
function check(name: SettingName, value: unknown): string | undefined {
  const result = SETTINGS[name].schema.safeParse(value);
  if (result.success) return undefined;
  const said = result.error.issues.map((issue) => issue.message).join('; ');
  return `is ${JSON.stringify(value)}: ${said} (${SETTINGS[name].help}; default ${JSON.stringify(SETTINGS[name].default)})`;
}

function fromFile(file: ConfigSources['file'], problems: string[]): { name: string; value: unknown }[] {
  if (file === undefined) return [];
  let parsed: unknown;
  try {
    parsed = parseYaml(file.text);
  } catch (error) {
    problems.push(`file ${file.path}: not YAML: ${(error as Error).message}`);
    return [];
  }
  if (parsed === null) return [];
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    problems.push(
      `file ${file.path}: a mapping of sections is expected, as in 'storage:\\n  engine: rocksdb'`,
    );
    return [];
  }
  return Object.entries(parsed).flatMap(([section, body]) => {
    const isSection = typeof body === 'object' && body !== null && !Array.isArray(body);
    if (!isSection) return [{ name: section, value: body }];
    return Object.entries(body as object).map(([key, value]) => ({
      name: `${section}.${key}`,
      value: value as unknown,
    }));
  });
}

/** Variables of the command line client, which are no settings of a node. */
const CLIENT_VARIABLES = new Set([
  'KVORUM_URL',
  'KVORUM_NAMESPACE',
  'KVORUM_CONFIG',
  'KVORUM_TIMEOUT',
  'KVORUM_HISTORY',
  'KVORUM_TOKEN',
  'KVORUM_TOKEN_FILE',
  'KVORUM_CA',
]);
/** What Kubernetes sets in every pod for a Service whose name begins with kvorum. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT=(tcp|udp):.*|PORT_\d+_(TCP|UDP)(_\w+)?)(=|$)/;

function fromEnvironment(
  environment: ConfigSources['environment'],
  problems: string[],
): { name: SettingName; variable: string; text: string }[] {
  const names = new Map(SETTING_NAMES.map((name) => [environmentName(name), name]));
  const found: { name: SettingName; variable: string; text: string }[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('KVORUM_') || text === undefined || CLIENT_VARIABLES.has(variable)) continue;
    const name = names.get(variable);
    if (name !== undefined) found.push({ name, variable, text });
    else if (!SERVICE_LINK.test(`${variable}=${text}`))
      problems.push(`environment ${variable}: there is no such setting; kvorum config lists them`);
  }
  return found;
}

/** Text of the environment or a flag as the setting's type; what does not convert is left for the schema to refuse. */
function fromText(name: SettingName, text: string): unknown {
  const { default: defaultValue } = SETTINGS[name];
  if (Array.isArray(defaultValue)) return text === '' ? [] : text.split(',').map((part) => part.trim());
  if (typeof defaultValue === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  if (typeof defaultValue === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}

function didYouMean(name: string): string {
  const wanted = name.toLowerCase().replace(/[^a-z]/g, '');
  const near = SETTING_NAMES.find((each) => {
    const candidate = each.toLowerCase().replace('.', '');
    return candidate.includes(wanted) || wanted.includes(candidate.slice(candidate.length / 2));
  });
  return near === undefined ? '; kvorum config lists them' : `; did you mean '${near}'?`;
}
