import type { Config } from './settings.ts';

/** What settings must hold together; the problems in words, none where all is well. */
export function inconsistencies(config: Config): readonly string[] {
  return RULES.flatMap((rule) => rule(config) ?? []);
}

type Rule = (config: Config) => string | undefined;

const RULES: readonly Rule[] = [
  // A node begins its versions at the durable bound, which is up to this far above the clock: its peers must take them.
  (config) =>
    config['clock.aheadMs'] < config['clock.skewMsMax']
      ? undefined
      : `clock.aheadMs (${config['clock.aheadMs']}) must be below clock.skewMsMax (${config['clock.skewMsMax']}): after a ` +
        'restart the versions of a node begin that far ahead, and the other nodes would refuse them',
  // A floor must lie below every clock, or a record that expired could appear again (docs/anti-entropy.md, rounds).
  (config) =>
    config['replication.propagationMs'] >= 2 * config['clock.skewMsMax']
      ? undefined
      : `replication.propagationMs (${config['replication.propagationMs']}) must be at least twice clock.skewMsMax ` +
        `(${config['clock.skewMsMax']}): floors must lie below every clock`,
  (config) =>
    config['replication.requestTimeoutMs'] <= config['replication.requestTimeoutMsMax']
      ? undefined
      : `replication.requestTimeoutMs (${config['replication.requestTimeoutMs']}) must not be above ` +
        `replication.requestTimeoutMsMax (${config['replication.requestTimeoutMsMax']})`,
  (config) => {
    const named = { 'http.tlsCert': config['http.tlsCert'], 'http.tlsKey': config['http.tlsKey'] };
    const missing = Object.entries(named).filter(([, file]) => file === '');
    if (missing.length !== 1) return undefined;
    return `${missing[0]?.[0]} is not set: TLS for clients needs http.tlsCert and http.tlsKey, or neither`;
  },
];
