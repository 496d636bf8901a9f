import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Conversation } from '../../sim/gossip/conversation.ts';

/**
 * Each file in testdata/ is a conversation: comments and commands, and below each command, indented, what the
 * members said. `UPDATE_GOLDEN=1 ./dev.sh test gossip/conversations` rewrites them; read the diff.
 */
const FOLDER = new URL('./testdata/', import.meta.url);

for (const name of readdirSync(FOLDER).sort()) {
  test(`conversation ${name}`, () => {
    const file = new URL(name, FOLDER);
    const written = readFileSync(file, 'utf8');
    const spoken = speak(written);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, spoken);
    else assert.equal(spoken, written);
  });
}

/** The file with the outcome of each command printed anew. */
function speak(text: string): string {
  const conversation = new Conversation();
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
