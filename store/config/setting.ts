import { z } from 'zod';

/** A setting: its default, what is allowed, and why it is there. */
export type Setting<T> = { readonly schema: z.ZodType<T>; readonly default: T; readonly help: string };

export const setting = <T>(schema: z.ZodType<T>, defaultValue: T, help: string): Setting<T> => ({
  schema,
  default: defaultValue,
  help,
});

export const MIB = 1 << 20;
export const whole = (min: number, max: number): z.ZodType<number> => z.number().int().min(min).max(max);
export const bytes = (min: number, max: number): z.ZodType<number> => whole(min, max);
export const ms = (min: number, max: number): z.ZodType<number> => whole(min, max);
export const port = whole(0, 65_535);
export const address = z.string().regex(/^(\S+:\d{1,5})?$/, 'host:port, or nothing');
export const flag = z.boolean();
