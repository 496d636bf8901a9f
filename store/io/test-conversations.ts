import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

/** What runs one command and returns what it printed. */
export type Spoken = { run(command: string): readonly string[] };

/**
 * Each file of `folder` is a conversation: comments and commands, and below each command, indented, what the members said. A test each, of one
 * that `begin` begins. `UPDATE_GOLDEN=1 ./dev.sh test conversations` rewrites them; read the diff.
 */
export function testConversations(folder: URL, begin: () => Spoken): void {
  for (const name of readdirSync(folder).sort())
    test(`conversation ${name}`, () => {
      const file = new URL(name, folder);
      const written = readFileSync(file, 'utf8');
      const spoken = speak(written, begin());
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, spoken);
      else assert.equal(spoken, written);
    });
}

/** The file with the outcome of each command printed anew. */
function speak(text: string, conversation: Spoken): string {
  const lines: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    const command = line.replace(/#.*/, '').trim();
    if (command === '') continue;
    for (const printed of conversation.run(command)) lines.push(`  ${printed}`);
  }
  return `${lines.join('\n')}\n`;
}
