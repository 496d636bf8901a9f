import { parseKey } from '../lib/key-format.ts';
import { SHELL_COMMANDS, type ShellState } from './run-line.ts';

const KEYS_OFFERED_MAX = 50;
const TAKES_KEY = new Set(['get', 'set', 'delete', 'scan', 'locate', 'explain']);

/** What may stand at the end of `line`, and the part of it that is completed: commands, then keys or namespaces. */
export async function completeLine(state: ShellState, line: string): Promise<[string[], string]> {
  const words = line.split(/\s+/);
  const last = words.at(-1) ?? '';
  if (words.length < 2) return [Object.keys(SHELL_COMMANDS).filter((name) => name.startsWith(last)), last];
  if (words.length > 2) return [[], last];
  const command = words[0] as string;
  if (command === 'use') return [(await namespaceNames(state)).filter((name) => name.startsWith(last)), last];
  return [TAKES_KEY.has(command) ? await keysFrom(state, last) : [], last];
}

async function namespaceNames(state: ShellState): Promise<string[]> {
  return (await state.session.client.listNamespaces()).map(({ name }) => name);
}

/** Keys that begin with `prefix` and can be typed without quotes. */
async function keysFrom(state: ShellState, prefix: string): Promise<string[]> {
  const { client, keyFormat } = state.session;
  if (keyFormat !== 'text') return [];
  const query = {
    keysOnly: true,
    limit: KEYS_OFFERED_MAX,
    ...(prefix !== '' && { prefix: parseKey(prefix, keyFormat) }),
  };
  const page = await client.scanPage(state.namespace, query);
  return page.entries
    .map(({ key }) => Buffer.from(key).toString('utf8'))
    .filter((key) => !/[\s'"\\\ufffd]/.test(key));
}
