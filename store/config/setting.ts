import { z } from 'zod';

/** A setting: its default, what is allowed, and why it is there. */
export type Setting<T> = {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  readonly help: string;
  /** A node that runs takes another value from its file; the others count at the next start. */
  readonly isLive: boolean;
};

export const setting = <T>(schema: z.ZodType<T>, defaultValue: T, help: string): Setting<T> => ({
  schema,
  default: defaultValue,
  help,
  isLive: false,
});

/** Only where all that follows the setting reads it at each use, or is told of the change: a test holds each against that. */
export const liveSetting = <T>(schema: z.ZodType<T>, defaultValue: T, help: string): Setting<T> => ({
  ...setting(schema, defaultValue, help),
  isLive: true,
});

export const MIB = 1 << 20;
export const whole = (min: number, max: number): z.ZodType<number> => z.number().int().min(min).max(max);
export const bytes = (min: number, max: number): z.ZodType<number> => whole(min, max);
export const ms = (min: number, max: number): z.ZodType<number> => whole(min, max);
export const port = whole(0, 65_535);
export const address = z.string().regex(/^(\S+:\d{1,5})?$/, 'host:port, or nothing');
export const flag = z.boolean();
