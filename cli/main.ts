import { Command } from 'commander';
import { registerServerCommands } from './server-commands.ts';

const program = new Command('kvorum').option('--output <format>', 'text or json', 'text');
registerServerCommands(program);
await program.parseAsync();
