import { showCluster, showMembers, showTopology } from '../cluster/cluster-actions.ts';
import { stopNode } from '../cluster/stop-node.ts';
import { showExplanation, showPlace, showRing } from '../data/data-actions.ts';
import { CliError, EXIT, usageError } from '../lib/cli-error.ts';
import { formatKey, parseKey, previewValue } from '../lib/key-format.ts';
import { print, type Session } from '../lib/session.ts';
import { showOperations, showStopVerdict, startOperation } from '../operations/operation-actions.ts';
import { splitWords } from './split-words.ts';

export type ShellState = { readonly session: Session; namespace: string; isDone: boolean };

type ShellCommand = {
  readonly usage: string;
  readonly help: string;
  readonly wordsMin: number;
  readonly wordsMax: number;
  run(state: ShellState, words: readonly string[]): Promise<void>;
};

const SCAN_LIMIT_DEFAULT = 20;
const PREVIEW_CHARS_MAX = 100;
const keyOf = (state: ShellState, text: string): Uint8Array => parseKey(text, state.session.keyFormat);

export const SHELL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  get: {
    usage: 'get KEY',
    help: 'print a value',
    wordsMin: 1,
    wordsMax: 1,
    async run(state, [key = '']) {
      const found = await state.session.client.get(state.namespace, keyOf(state, key));
      if (found === undefined)
        throw new CliError(EXIT.notFound, `there is no key '${key}' in ${state.namespace}`);
      print(`${previewValue(found.value, Number.MAX_SAFE_INTEGER)}\n`);
    },
  },
  set: {
    usage: 'set KEY VALUE [TTL-SECONDS]',
    help: 'write a value; quotes keep spaces together',
    wordsMin: 2,
    wordsMax: 3,
    async run(state, [key = '', value = '', ttl]) {
      const options = ttl === undefined ? {} : { ttlSeconds: ttlOf(ttl) };
      const { version } = await state.session.client.put(state.namespace, keyOf(state, key), value, options);
      print(`${version}\n`);
    },
  },
  delete: {
    usage: 'delete KEY',
    help: 'delete a key',
    wordsMin: 1,
    wordsMax: 1,
    async run(state, [key = '']) {
      const { version } = await state.session.client.delete(state.namespace, keyOf(state, key));
      print(`${version}\n`);
    },
  },
  scan: {
    usage: 'scan [PREFIX] [LIMIT]',
    help: `list keys and values, ${SCAN_LIMIT_DEFAULT} unless told`,
    wordsMin: 0,
    wordsMax: 2,
    async run(state, [prefix = '', limit = String(SCAN_LIMIT_DEFAULT)]) {
      const { session, namespace } = state;
      const query = { limit: limitOf(limit), ...(prefix !== '' && { prefix: keyOf(state, prefix) }) };
      for await (const { key, value } of session.client.scan(namespace, query)) {
        print(
          `${formatKey(key, session.keyFormat)}\t${previewValue(value ?? new Uint8Array(), PREVIEW_CHARS_MAX)}\n`,
        );
      }
    },
  },
  use: {
    usage: 'use NAMESPACE',
    help: 'work in another namespace',
    wordsMin: 1,
    wordsMax: 1,
    async run(state, [name = '']) {
      const known = (await state.session.client.listNamespaces()).map((namespace) => namespace.name);
      if (!known.includes(name))
        throw new CliError(EXIT.notFound, `there is no namespace '${name}'; there are ${known.join(', ')}`);
      state.namespace = name;
    },
  },
  namespaces: {
    usage: 'namespaces',
    help: 'list the namespaces',
    wordsMin: 0,
    wordsMax: 0,
    async run(state) {
      for (const { name } of await state.session.client.listNamespaces()) print(`${name}\n`);
    },
  },
  status: {
    usage: 'status',
    help: 'how the node is',
    wordsMin: 0,
    wordsMax: 0,
    async run(state) {
      const { name, ready, engine, storage } = await state.session.client.status();
      print(`${name} ${ready ? 'ready' : 'not ready'}, ${engine}, storage ${storage.state}\n`);
    },
  },
  cluster: {
    usage: 'cluster',
    help: 'quorum, leader, voters and who is missing',
    wordsMin: 0,
    wordsMax: 0,
    run: async ({ session }) => await showCluster(session),
  },
  nodes: {
    usage: 'nodes [stop NAME]',
    help: 'list the members; or have one end its process, if it can be stopped now',
    wordsMin: 0,
    wordsMax: 2,
    async run({ session }, [action, name]) {
      if (action === undefined) return await showMembers(session);
      if (action !== 'stop' || name === undefined) throw usageError('usage: nodes [stop NAME]');
      await stopNode(session, name, { force: false });
    },
  },
  operations: {
    usage: 'operations',
    help: 'what is being done with the data, and what it waits for',
    wordsMin: 0,
    wordsMax: 0,
    run: async ({ session }) => await showOperations(session, { all: false }),
  },
  'can-stop': {
    usage: 'can-stop NAME',
    help: 'whether a node can be stopped now; a yes keeps others from it for a minute',
    wordsMin: 1,
    wordsMax: 1,
    run: async ({ session }, [name = '']) => await showStopVerdict(session, name, { look: false }),
  },
  drain: {
    usage: 'drain NAME',
    help: 'move the data of a member to the others, and remove it then',
    wordsMin: 1,
    wordsMax: 1,
    run: async ({ session }, [member = '']) =>
      await startOperation(session, { type: 'drain', member }, { wait: false }),
  },
  topology: {
    usage: 'topology',
    help: 'epoch, members, partitions and namespaces',
    wordsMin: 0,
    wordsMax: 0,
    run: async ({ session }) => await showTopology(session),
  },
  ring: {
    usage: 'ring',
    help: 'who owns how much, and how even that is',
    wordsMin: 0,
    wordsMax: 0,
    run: async ({ session }) => await showRing(session),
  },
  locate: {
    usage: 'locate KEY',
    help: 'slot, partition and replicas of a key',
    wordsMin: 1,
    wordsMax: 1,
    run: async ({ session }, [key = '']) => await showPlace(session, key),
  },
  explain: {
    usage: 'explain KEY',
    help: 'where a key is and whether it is safe',
    wordsMin: 1,
    wordsMax: 1,
    run: async ({ session, namespace }, [key = '']) => await showExplanation(session, namespace, key),
  },
  help: {
    usage: 'help',
    help: 'this list',
    wordsMin: 0,
    wordsMax: 1,
    async run() {
      for (const { usage, help } of Object.values(SHELL_COMMANDS)) print(`  ${usage.padEnd(30)} ${help}\n`);
    },
  },
  exit: {
    usage: 'exit',
    help: 'leave',
    wordsMin: 0,
    wordsMax: 0,
    async run(state) {
      state.isDone = true;
    },
  },
};

/** Runs one line of the shell; an empty one, and one that begins with #, does nothing. */
export async function runLine(state: ShellState, line: string): Promise<void> {
  if (line.trimStart().startsWith('#')) return;
  const [name, ...words] = splitWords(line);
  if (name === undefined) return;
  const command = Object.hasOwn(SHELL_COMMANDS, name) ? SHELL_COMMANDS[name] : undefined;
  if (command === undefined) throw usageError(`there is no command '${name}'; help lists them`);
  if (words.length < command.wordsMin || words.length > command.wordsMax)
    throw usageError(`usage: ${command.usage}`);
  await command.run(state, words);
}

function ttlOf(text: string): number {
  return positiveNumber(text, 'the time to live, in seconds,');
}

function limitOf(text: string): number {
  return positiveNumber(text, 'the limit');
}

function positiveNumber(text: string, what: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw usageError(`${what} is a whole number from 1 up, not '${text}'`);
  return value;
}
