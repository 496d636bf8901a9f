import { appendFileSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EngineName } from '../storage/engine.ts';
import { ENGINE_DEFAULTS, openEngine } from './open-engine.ts';

/**
 * Started by fsync-trace.test.ts: writes records one after the other, and after each acknowledgement its number
 * into a file, so that a trace of the system calls shows what came first. With `hold` it then waits to be killed.
 */
const [engineName, location, ackPath, countText, mode] = process.argv.slice(2) as [
  EngineName,
  string,
  string,
  string,
  string,
];
const clock = {
  nowMs: Date.now,
  monotonicMs: () => performance.now(),
  setTimer: () => ({ cancel: () => {} }),
};
const random = { unit: Math.random, bytes: (length: number) => new Uint8Array(length) };
const { engine } = await openEngine(engineName, { ...ENGINE_DEFAULTS, location }, { clock, random });

for (let i = 0; i < Number(countText); i++) {
  const marker = `record-${String(i).padStart(6, '0')}`;
  const key = new TextEncoder().encode(marker);
  await engine.write([{ type: 'put', key, value: key }], { sync: true });
  appendFileSync(ackPath, `ack-${marker}\n`);
}
writeSync(1, 'acknowledged\n');
if (mode === 'hold') for (;;) await nextTurn();
await engine.close();
