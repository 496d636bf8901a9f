import type { Command } from 'commander';
import { usageError } from '../lib/cli-error.ts';
import { print } from '../lib/session.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type ShellName = (typeof SHELLS)[number];

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a completion script, e.g. kvorum completion bash > /etc/bash_completion.d/kvorum')
    .argument('<shell>', SHELLS.join(', '))
    .action((shell: string) => {
      if (!isShellName(shell))
        throw usageError(`there is no completion for '${shell}'; there is one for ${SHELLS.join(', ')}`);
      print(completionScript(shell, program));
    });
}

function isShellName(name: string): name is ShellName {
  return (SHELLS as readonly string[]).includes(name);
}

type Words = { readonly path: string; readonly words: readonly string[] };

/** The script, from the tree of commands and options as it is. */
export function completionScript(shell: ShellName, program: Command): string {
  const tree = wordsOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(tree);
    case 'zsh':
      return `#compdef kvorum\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(tree)}`;
    case 'fish':
      return fishScript(tree);
  }
}

/** For each command, what may stand behind it; the path is its words, empty for the program itself. */
function wordsOf(command: Command, path: string): Words[] {
  const options = command.options.flatMap((option) => (option.long === undefined ? [] : [option.long]));
  const words = [...command.commands.map((each) => each.name()), ...options, '--help'];
  const below = command.commands.flatMap((each) => wordsOf(each, `${path} ${each.name()}`.trim()));
  return [{ path, words }, ...below];
}

function bashScript(tree: readonly Words[]): string {
  const cases = tree.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`).join('\n');
  return `_kvorum() {
  local path='' word words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in -*) continue ;; esac
    case "\${path:+$path }$word" in ${knownPaths(tree)}) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kvorum kvorum
`;
}

function knownPaths(tree: readonly Words[]): string {
  return tree
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|');
}

function fishScript(tree: readonly Words[]): string {
  return tree
    .flatMap(({ path, words }) => {
      const condition =
        path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
      return words.map(
        (word) =>
          `complete -c kvorum -n '${condition}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`}\n`,
      );
    })
    .join('');
}
