import { isRecord } from './is-record.js';

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
      return 'a number';
    case 'object':
      return isRecord(value) ? 'an object' : classOf(value);
    case 'undefined':
      return 'undefined';
    default:
      return `a ${typeof value}`;
  }
}

/** A value's class, which a program wrote and no caller: `a Map`. */
function classOf(value: object): string {
  const { constructor } = value;
  const name = typeof constructor === 'function' ? constructor.name : '';
  if (name === '' || name === 'Object') return 'an object that inherits from another one';
  return `${/^[AEIOU]/i.test(name) ? 'an' : 'a'} ${name}`;
}
