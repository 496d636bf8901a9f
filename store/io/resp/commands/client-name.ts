import { CommandError } from '../command-error.ts';

const NAME_BYTES_MAX = 256;

/** A name that a client gives its connection: printable ASCII without blanks, so that CLIENT LIST keeps its form. */
export function nameOf(bytes: Uint8Array, what: string): string {
  const isPrintable = bytes.every((byte) => byte > 0x20 && byte < 0x7f);
  if (!isPrintable)
    throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`);
  if (bytes.length > NAME_BYTES_MAX)
    throw new CommandError(`ERR ${what} have at most ${NAME_BYTES_MAX} characters.`);
  return Buffer.from(bytes).toString('latin1');
}
