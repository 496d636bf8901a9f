import type { TopologyCommand } from './command.ts';
import { findViolation } from './invariants.ts';
import { asRecord, type Reader, ShapeError, whole } from './shape.ts';
import type { Partition, TopologyState } from './types.ts';
import { ofWireMember, readCommand, readState, toWireMember, type WireState } from './wire.ts';

/**
 * Commands and state as bytes: JSON with the number of the format. Equal values have equal bytes (fields in a fixed
 * order, members by number, namespaces by id), so that two members compare their states by a digest.
 *
 * Encoding checks as decoding does: what is in the log is applied by every member, so a command that could not be
 * decoded would stop them all. The leader encodes before it proposes, and refuses what does not pass.
 */
export const TOPOLOGY_FORMAT = 3;

/**
 * Format 3 brought the addresses for clients of Redis. Format 2 brought moves, operations, leases, zones set by hand, and replicas whose member was replaced. Each value is written in the lowest format that has its fields: while there is none of them, an older
 * version understands every byte, also of a snapshot.
 */
function formatOfCommand(command: TopologyCommand): number {
  if ('respAddress' in command && command.respAddress !== undefined) return 3;
  if (command.type === 'update-member')
    return command.zone === undefined && command.weight !== undefined ? 1 : 2;
  return /^(move|operation|stop)-/.test(command.type) ? 2 : 1;
}
function formatOfState({ members, partitions, operations, stopLeases }: WireState): number {
  const numbers = new Set(members.map(({ number }) => number));
  const isNew = ({ replicas, move }: Partition): boolean =>
    move !== undefined || !replicas.every((replica) => numbers.has(replica));
  if (members.some(({ respAddress }) => respAddress !== undefined)) return 3;
  if (operations !== undefined || stopLeases !== undefined) return 2;
  const isMarked = members.some(
    ({ isDraining, zoneReplaced }) => isDraining === true || zoneReplaced !== undefined,
  );
  return isMarked || partitions.some(isNew) ? 2 : 1;
}

/** Values that have no place here: damage, a newer format, or a command that breaks the rules of its fields. */
export class TopologyFormatError extends Error {
  override readonly name = 'TopologyFormatError';
}

export function encodeCommand(command: TopologyCommand): Uint8Array {
  return encode(COMMAND, command);
}

export function decodeCommand(bytes: Uint8Array): TopologyCommand {
  return decode(COMMAND, bytes);
}

export function encodeState(state: TopologyState): Uint8Array {
  requireSound(state);
  const members = [...state.members.values()].sort((a, b) => a.number - b.number).map(toWireMember);
  const namespaces = [...state.namespaces.values()].sort((a, b) => a.id - b.id);
  const operations = unlessEmpty(state.operations);
  const stopLeases = unlessEmpty(state.stopLeases);
  return encode(STATE, { ...state, members, namespaces, operations, stopLeases });
}

export function decodeState(bytes: Uint8Array): TopologyState {
  const wire = decode(STATE, bytes);
  const members = new Map(wire.members.map((member) => [member.number, ofWireMember(member)]));
  const namespaces = new Map(wire.namespaces.map((namespace) => [namespace.name, namespace]));
  if (members.size !== wire.members.length)
    throw new TopologyFormatError('A topology numbers two members alike.');
  if (namespaces.size !== wire.namespaces.length) {
    throw new TopologyFormatError('A topology names two namespaces alike.');
  }
  const { operations = [], stopLeases = [] } = wire;
  return requireSound({ ...wire, members, namespaces, operations, stopLeases });
}

const unlessEmpty = <T>(all: readonly T[]): readonly T[] | undefined => (all.length === 0 ? undefined : all);

type Kind<T> = { readonly field: string; readonly reader: Reader<T>; formatOf(value: T): number };
const COMMAND: Kind<TopologyCommand> = {
  field: 'command',
  reader: readCommand,
  formatOf: formatOfCommand,
};
const STATE: Kind<WireState> = { field: 'state', reader: readState, formatOf: formatOfState };

function encode<T>({ field, reader, formatOf }: Kind<T>, value: T): Uint8Array {
  const checked = guarded(`A topology ${field} cannot be encoded`, () => reader(value, field));
  return new TextEncoder().encode(JSON.stringify({ format: formatOf(checked), [field]: checked }));
}

function decode<T>({ field, reader, formatOf }: Kind<T>, bytes: Uint8Array): T {
  return guarded(`A topology ${field} of ${bytes.length} bytes cannot be decoded`, () => {
    const document = asRecord(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
      'the document',
    );
    const format = whole(1)(document.format, 'format');
    if (format > TOPOLOGY_FORMAT) {
      const known = `this program knows formats up to ${TOPOLOGY_FORMAT}`;
      throw new ShapeError(
        `it is of format ${format}, ${known}: run the version that wrote it, or a newer one`,
      );
    }
    const value = reader(document[field], field);
    if (formatOf(value) <= format) return value;
    throw new ShapeError(`it is of format ${format}, and has what only format ${formatOf(value)} knows`);
  });
}

function guarded<T>(problem: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new TopologyFormatError(`${problem}: ${(error as Error).message}.`, { cause: error });
  }
}

function requireSound(state: TopologyState): TopologyState {
  const violation = findViolation(state);
  if (violation === undefined) return state;
  throw new TopologyFormatError(`A topology breaks its own rules: ${violation}.`);
}
