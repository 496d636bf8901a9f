import { pino } from 'pino';

export type Logger = ReturnType<typeof createLogger>;

/** Logs JSON lines to standard output. */
export function createLogger(options: { readonly level: string; readonly name: string }) {
  return pino({
    level: options.level,
    base: { node: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  });
}
