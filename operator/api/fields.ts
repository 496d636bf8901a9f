import { z } from 'zod';

/**
 * Fields that several parts of the specification share, as Kubernetes means them. A pattern here is read by two engines, that
 * of JavaScript and RE2 of the API server, so it has no look-ahead and no back reference.
 */

/** `500m`, `1.5`, `10Gi`: what Kubernetes calls a quantity, positive. */
const QUANTITY = /^([0-9]+(\.[0-9]+)?)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][0-9]+)?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

const quantityText = z.string().max(40).regex(QUANTITY, 'a quantity, such as 500m, 2 or 10Gi');

/** Quantities that are compared by CEL, and so are text. */
export const quantity = quantityText;

/** Quantities as people write them: `cpu: 2` as well as `memory: 1Gi`. */
export const intOrQuantity = z
  .union([z.number().int().min(0), quantityText])
  .meta({ 'x-kubernetes-int-or-string': true, pattern: QUANTITY.source });

export const labels = z.record(z.string().regex(LABEL_KEY), z.string().regex(LABEL_VALUE));
export const annotations = z.record(z.string().regex(LABEL_KEY), z.string().max(16_384));
export const objectName = z.string().regex(DNS_SUBDOMAIN, 'the name of an object: a-z, 0-9, - and .');

/** What Kubernetes itself checks, and what no rule here speaks of: handed through as it is. */
export const handedThrough = (description: string): z.ZodType<Readonly<Record<string, unknown>>> =>
  z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true, description });

/** A point in time, such as `kubectl rollout restart` would write it. */
export const instant = z
  .string()
  .max(40)
  .regex(
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/,
    'a time as 2026-03-01T09:30:00Z',
  );
