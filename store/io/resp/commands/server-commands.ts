import { lowerName } from '../../../core/resp/arguments.ts';
import { parseGlob } from '../../../core/resp/glob.ts';
import { array, bulk, map, type Reply } from '../../../core/resp/reply.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';
import type { RespContext } from '../resp-context.ts';
import type { Handlers } from './command.ts';
import { infoSections } from './info-sections.ts';
import { runSubcommand } from './subcommand.ts';

export const serverCommands: Handlers = {
  time(call) {
    const nowMs = call.context.clock.nowMs();
    const seconds = Math.floor(nowMs / 1000);
    call.answer(array([bulk(String(seconds)), bulk(String(Math.floor((nowMs - seconds * 1000) * 1000)))]));
  },
  info(call) {
    const wanted = new Set(call.args.slice(1).map(lowerName));
    const isAll = wanted.size === 0 || ['all', 'default', 'everything'].some((name) => wanted.has(name));
    const sections = infoSections(call.context).filter(([name]) => isAll || wanted.has(name.toLowerCase()));
    call.answer({ type: 'verbatim', text: sections.map(sectionText).join('\r\n') });
  },
  config: (call) =>
    runSubcommand(call, {
      get: { arity: -3, handle: configGet },
      set: { arity: -4, handle: refuseChange },
      rewrite: { arity: 2, handle: refuseChange },
      resetstat: { arity: 2, handle: refuseChange },
    }),
};

function sectionText([name, lines]: readonly [string, Readonly<Record<string, string | number>>]): string {
  const fields = Object.entries(lines).map(([field, value]) => `${field}:${value}\r\n`);
  return `# ${name}\r\n${fields.join('')}`;
}

/** What clients of Redis ask for and that is true here, in Redis's words. */
function parameters({ options }: RespContext): readonly (readonly [string, string])[] {
  return [
    ['appendfsync', 'always'],
    ['appendonly', 'yes'],
    ['bind', options.host],
    ['cluster-enabled', 'yes'],
    ['databases', '1'],
    ['maxclients', String(options.connectionsMax)],
    ['maxmemory', '0'],
    ['maxmemory-policy', 'noeviction'],
    ['port', String(options.port)],
    ['proto-max-bulk-len', String(options.valueBytesMax)],
    ['save', ''],
    ['timeout', String(Math.ceil(options.idleTimeoutMs / 1000))],
  ];
}

function configGet(call: Call): void {
  const patterns = call.args.slice(2).map((pattern) => parseGlob(Buffer.from(lowerName(pattern))));
  const found = parameters(call.context).filter(([name]) =>
    patterns.some((pattern) => pattern.matches(Buffer.from(name))),
  );
  call.answer(map(found.map(([name, value]): readonly [string, Reply] => [name, bulk(value)])));
}

function refuseChange(): never {
  throw new CommandError(
    'ERR the configuration of a node is set when it starts: by its file, the environment and flags (docs/configuration.md)',
  );
}
