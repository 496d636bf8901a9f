import { environmentName, SETTING_NAMES, SETTINGS } from './settings.ts';

/** docs/configuration.md, from the table of settings. */
export function configurationPage(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { default: defaultValue, help } = SETTINGS[name];
    return `| \`${name}\` | \`${defaultValue}\` | ${help} | \`${environmentName(name)}\` |`;
  });
  return `# Configuration

Settings come from, each overriding the ones before: defaults, a YAML file (\`--config FILE\` or \`KVORUM_CONFIG\`), the
environment, flags (\`--set NAME=VALUE\`, and short ones: \`kvorum server --help\`). In the file the first part of the name
is a section:

    storage:
      engine: rocksdb
      reserveBytes: 1073741824

An unknown or wrong setting stops the start and says where it came from and what is allowed. \`kvorum config\` prints the
effective settings and the source of each. Units are the last word of a name: bytes, milliseconds (\`Ms\`), counts (\`Max\`).

| setting | default | what it is | environment |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
