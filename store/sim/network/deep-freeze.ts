/**
 * Makes sure that what one node sent and another one holds is never changed by either. The bytes of an array cannot
 * be frozen; they are left to the runs that pass everything through the codec.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const key in value) deepFreeze(value[key]);
  return value;
}
