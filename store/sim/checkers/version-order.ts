import { compareVersions, formatVersion, type Version } from '../../core/version/version.ts';
import { requireOf } from './violation.ts';

const requireKept = requireOf('no acknowledged write is lost');
const requireForward = requireOf('reads never go backwards');
const requireDeleted = requireOf('no resurrection');
const requireAbove = requireOf('a write is stamped above what was seen before it');
const requireHidden = requireOf('expired records are hidden');
const requireUnique = requireOf('no version is given twice');
const requireOnce = requireOf('a write is stamped once');

/** The newest version of a key that some operation that ended has shown, and which. */
export type Seen = {
  readonly version: Version;
  readonly by: 'put' | 'delete' | 'read';
  readonly text: string;
};

/** What an operation was promised by all that had ended when it began. */
export type Mark = Seen | undefined;

type Expiring = { version: Version | undefined; readonly expiresAtMs: number };

/**
 * The versions of one key, which say more than linearizability asks for: also what nobody read in between. Only
 * operations at the default quorums; the others promise nothing.
 */
export class VersionOrder {
  readonly #key: string;
  /** What each version is of, '' for a delete; and the version of each value. */
  readonly #contents = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  readonly #expiring: Expiring[] = [];
  #seen: Mark;
  /** Deletes whose version is not known: under way, or of unknown outcome. */
  #openDeletes = 0;
  #newestDelete: Version | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  /** To be asked for when an operation begins. */
  get mark(): Mark {
    return this.#seen;
  }

  deleteBegan(): void {
    this.#openDeletes += 1;
  }

  deleteRefused(): void {
    this.#openDeletes -= 1;
  }

  deleted(mark: Mark, version: Version, text: string): void {
    this.#openDeletes -= 1;
    this.#newestDelete = newer(this.#newestDelete, version);
    this.#written(mark, version, text, '');
    this.#see({ version, by: 'delete', text });
  }

  put(mark: Mark, version: Version, text: string, value: string): void {
    this.#written(mark, version, text, value);
    this.#see({ version, by: 'put', text });
  }

  /** `expiresAtMs` is the earliest that it may be. Returns what is to be told when the version is known. */
  expiringPutBegan(expiresAtMs: number): { version: Version | undefined } {
    const expiring: Expiring = { version: undefined, expiresAtMs };
    this.#expiring.push(expiring);
    return expiring;
  }

  /** `earliestNowMs`: the least that the clock of who answered showed in the time of the read. */
  found(mark: Mark, read: Found, text: string, earliestNowMs: number): void {
    const { version, value, expiresAtMs } = read;
    this.#note(version, value);
    requireHidden(
      expiresAtMs === undefined || expiresAtMs > earliestNowMs,
      () =>
        `key ${this.#key}: ${text} found what had expired ${earliestNowMs - (expiresAtMs ?? 0)} ms before`,
    );
    if (mark !== undefined)
      requireOfMark(mark)(
        compareVersions(version, mark.version) >= 0,
        () =>
          `key ${this.#key}: ${text} found ${formatVersion(version)}, and ${describe(mark)} before it began`,
      );
    this.#see({ version, by: 'read', text });
  }

  /** `latestNowMs`: the most that any clock has shown so far. */
  absent(mark: Mark, text: string, latestNowMs: number): void {
    if (mark === undefined || this.#isTombstone(mark.version)) return;
    requireKept(
      this.#openDeletes > 0 ||
        isAbove(this.#newestDelete, mark.version) ||
        this.mayHaveExpired(mark, latestNowMs),
      () =>
        `key ${this.#key}: ${text} found nothing, and ${describe(mark)} before it began; nothing deleted that`,
    );
  }

  /** Whether a record at or above `mark` may have expired by some clock. */
  mayHaveExpired(mark: Mark, latestNowMs: number): boolean {
    return this.#expiring.some(
      ({ version, expiresAtMs }) =>
        expiresAtMs <= latestNowMs &&
        (version === undefined || mark === undefined || compareVersions(version, mark.version) >= 0),
    );
  }

  #written(mark: Mark, version: Version, text: string, value: string): void {
    this.#note(version, value);
    requireAbove(
      mark === undefined || compareVersions(version, mark.version) > 0,
      () =>
        `key ${this.#key}: ${text} was given ${formatVersion(version)}, and ${describe(mark as Seen)} before it began`,
    );
  }

  #note(version: Version, value: string): void {
    const name = formatVersion(version);
    const known = this.#contents.get(name) ?? value;
    requireUnique(known === value, () => `key ${this.#key}: ${name} is of "${known}" and of "${value}"`);
    this.#contents.set(name, value);
    if (value === '') return;
    const stamp = this.#versions.get(value) ?? name;
    requireOnce(stamp === name, () => `key ${this.#key}: "${value}" has the versions ${stamp} and ${name}`);
    this.#versions.set(value, name);
  }

  #isTombstone(version: Version): boolean {
    return this.#contents.get(formatVersion(version)) === '';
  }

  #see(seen: Seen): void {
    if (isAbove(seen.version, this.#seen?.version)) this.#seen = seen;
  }
}

export type Found = {
  readonly version: Version;
  readonly value: string;
  readonly expiresAtMs: number | undefined;
};

function requireOfMark({ by }: Seen) {
  switch (by) {
    case 'put':
      return requireKept;
    case 'delete':
      return requireDeleted;
    case 'read':
      return requireForward;
  }
}

function describe({ by, text, version }: Seen): string {
  const what = by === 'read' ? 'had found' : 'was acknowledged as';
  return `${text} ${what} ${formatVersion(version)}`;
}

const isAbove = (version: Version | undefined, other: Version | undefined): boolean =>
  version !== undefined && (other === undefined || compareVersions(version, other) > 0);

const newer = (a: Version | undefined, b: Version): Version => (a !== undefined && isAbove(a, b) ? a : b);
