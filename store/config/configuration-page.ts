import { environmentName, SETTING_NAMES, SETTINGS } from './settings.ts';

/** docs/configuration.md, from the table of settings. */
export function configurationPage(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { default: defaultValue, help, isLive } = SETTINGS[name];
    return `| \`${name}\` | \`${defaultValue}\` | ${isLive ? 'live' : 'restart'} | ${help} | \`${environmentName(name)}\` |`;
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

## While a node runs

The file is looked at every second and at SIGHUP, also where it is a link into a directory that is replaced, as in Kubernetes. What is \`live\` below
counts from then on: for what begins next, so that a wait of an interval that has begun runs to its end. What says \`restart\` stays as it is until
then. The environment and the flags go on to override the file. A file that cannot be used changes nothing at all: the
settings before it stay.

- \`kvorum nodes config\` (\`GET /v1/config\`) tells what the node of \`--url\` goes by now, where each value comes from, and what waits for a restart;
  \`kvorum status\` tells of the latter alone.
- The log tells each change, \`restart needed for: ...\`, and why a file was refused; \`kvorum_config_file_stale\` is 1 as long as it is (the chart's alert
  \`KvorumSettingsRefused\` looks at it), and \`kvorum_config_restart_needed\` counts the settings that wait.

A node without a file has nothing to read: SIGHUP ends it, as it does other processes.

## Settings

| setting | default | a change counts | what it is | environment |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
