/**
 * Whether a value is a plain object, as literals and JSON have them. A `Map`, an instance of a class, and an object that inherits
 * from another one are not: what they hold is not among their own keys, so that a rule or an option in them would go unnoticed.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || isObjectPrototype(prototype);
}

/** `Object.prototype` of another realm: of a `vm` context, as test runners have them. */
function isObjectPrototype(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}
