import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { syncTimes, type TracedCall, traceCalls } from './sync-trace.ts';

/** Puts that were answered while all was traced, by how many servers had them on stable storage then. */
export type SyncedPuts = {
  readonly puts: number;
  /** At i: how many puts i of the servers had synced before the answer reached the client. */
  readonly byServers: readonly number[];
  /** The same, of all that the trace saw until its end. */
  readonly byServersInTheEnd: readonly number[];
};

export type TracedPuts = {
  /** For the traces, and for the file that says when answers came. */
  readonly directory: string;
  /** Of the servers. */
  readonly pids: readonly number[];
  /** Side by side; `put` resolves when a mark, as the value of a key, is acknowledged. */
  readonly loops: number;
  readonly puts: number;
  readonly put: (loop: number, mark: string) => Promise<void>;
};

const MARKS = /mark-\d{7}/g;
/** For what is under way when the last answer has come. */
const SETTLE_MS = 500;

/**
 * Puts marks, and traces the servers and this process meanwhile: each answer is noted in a file by a call that is traced too, so
 * all times are of one clock, and a sync that ended before that note ended before the client had its answer.
 */
export async function tracePuts({ directory, pids, loops, puts, put }: TracedPuts): Promise<SyncedPuts> {
  mkdirSync(directory, { recursive: true });
  const notes = openSync(`${directory}/answers`, 'w');
  const trace = await traceCalls([process.pid, ...pids], directory);
  let begun = 0;
  const loop = async (number: number): Promise<void> => {
    while (begun < puts) {
      const mark = `mark-${String(begun++).padStart(7, '0')}`;
      await put(number, mark);
      writeSync(notes, mark);
    }
  };
  const done = await Promise.allSettled(Array.from({ length: loops }, (_, i) => loop(i)));
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const [own = [], ...servers] = await trace.stop();
  closeSync(notes);
  for (const each of done) if (each.status === 'rejected') throw each.reason;
  return countSynced(
    answerTimes(own, `${directory}/answers`),
    servers.map((calls) => syncTimes(calls, MARKS)),
  );
}

function answerTimes(calls: readonly TracedCall[], file: string): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const call of calls)
    if (call.type === 'write' && call.file === file)
      for (const [mark] of call.text.matchAll(MARKS)) times.set(mark, call.startS);
  return times;
}

function countSynced(
  answers: ReadonlyMap<string, number>,
  servers: readonly ReadonlyMap<string, number>[],
): SyncedPuts {
  const none = Array.from({ length: servers.length + 1 }, () => 0);
  const [byServers, byServersInTheEnd] = [[...none], [...none]];
  for (const [mark, answeredS] of answers) {
    const times = servers.flatMap((synced) => synced.get(mark) ?? []);
    const before = times.filter((endS) => endS <= answeredS).length;
    byServers[before] = (byServers[before] as number) + 1;
    byServersInTheEnd[times.length] = (byServersInTheEnd[times.length] as number) + 1;
  }
  return { puts: answers.size, byServers, byServersInTheEnd };
}
