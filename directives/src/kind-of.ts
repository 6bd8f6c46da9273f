/**
 * The kind of a value, for a sentence that must not quote it: `a list`.
 *
 * @example
 * ```ts
 * import { kindOf } from '@behalf/directives/internal';
 *
 * console.log(`must be a string, not ${kindOf([])}`);
 * ```
 */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'boolean':
      return 'true or false';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'object':
      return 'an object';
    case 'undefined':
      return 'undefined';
    default:
      return `a ${typeof value}`;
  }
}
