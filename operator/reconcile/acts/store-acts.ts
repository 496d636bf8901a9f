import type { ActOf } from '../../core/plan/act.ts';
import type { Perform } from '../act-context.ts';

/** Asked again with the same id, the store says that it is done. */
export const bootstrapStore: Perform<ActOf<'bootstrap'>> = async ({ seen, store }, { type: _, ...call }) =>
  await store.bootstrap(seen.target, call);

export const drainMember: Perform<ActOf<'drain'>> = async ({ seen, store }, { member }) =>
  await store.start(seen.target, { type: 'drain', member });

export const replaceMember: Perform<ActOf<'replace-member'>> = async ({ seen, store }, { member }) =>
  await store.start(seen.target, { type: 'replace', member });

export const cancelDrain: Perform<ActOf<'cancel-drain'>> = async ({ seen, store }, { operation }) =>
  await store.cancel(seen.target, operation);

export const changeFactor: Perform<ActOf<'change-factor'>> = async ({ seen, store }, { replicationFactor }) =>
  await store.start(seen.target, { type: 'factor', replicationFactor });

export const setZone: Perform<ActOf<'set-zone'>> = async ({ seen, store }, { member, zone }) =>
  await store.setZone(seen.target, member, zone);
