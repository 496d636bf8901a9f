import { isMainThread } from 'node:worker_threads';

/**
 * Imported before each file of tests (`./dev.sh test`): ends one that is still there when all of its tests should long be over, and names what keeps it.
 * Without this a socket or a timer that a test forgot stops the whole run: the runner's own limit is one for a test, not for the process around it.
 */
const SECONDS_MAX = 900;

const isTestFile = process.env.NODE_TEST_CONTEXT !== undefined && isMainThread;
if (isTestFile) {
  const seconds = Number(process.env.TEST_FILE_SECONDS_MAX ?? SECONDS_MAX);
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} is not over after ${seconds} s; what is open: ${open}\n`);
    process.exit(1);
  }, seconds * 1000).unref();
}
