import type { ConfigStatus, NodeConfig, SettingInEffect } from '@kvorum/client';
import { formatTable } from '../lib/table.ts';

/** The settings that a node goes by now, and what became of its settings file. */
export function formatConfig({ settings, ...status }: NodeConfig): string {
  const rows = settings.map((each) => [
    each.name,
    text(each.value),
    each.isLive ? 'live' : '',
    originOf(each),
  ]);
  return `${formatTable([['SETTING', 'VALUE', '', 'FROM'], ...rows])}${configLines(status)}`;
}

/** Nothing where the file is in effect. */
export function configLines({ problem, restartNeeded }: ConfigStatus): string {
  const lines = [
    ...(problem === undefined ? [] : [problem]),
    ...(restartNeeded.length === 0 ? [] : [`restart needed for: ${restartNeeded.join(', ')}`]),
  ];
  return lines.map((line) => `config      ${line}\n`).join('');
}

function originOf({ origin, afterRestart }: SettingInEffect): string {
  return afterRestart === undefined ? origin : `${origin}; after a restart: ${text(afterRestart)}`;
}

function text(value: SettingInEffect['value']): string {
  return String(value);
}
