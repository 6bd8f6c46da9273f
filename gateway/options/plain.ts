/**
 * Rebuilds plain data with the path of each value, as a person writes it: `issuers[0].claims.scopes`. Members that are
 * undefined are left out: to be undefined is to be absent.
 *
 * @param replace Is given every value before its members. What it returns stands in its place; `undefined` leaves it out, and
 *   the same value has its members visited.
 */
export function mapPlain(
  value: unknown,
  replace: (value: unknown, path: string) => unknown,
  path = '',
): unknown {
  const replaced = replace(value, path);
  if (replaced !== value) return replaced;
  if (Array.isArray(value))
    return value.map((entry: unknown, index) => mapPlain(entry, replace, `${path}[${index}]`));
  if (!isPlainObject(value)) return value;
  const members = Object.entries(value).flatMap(([key, member]) => {
    const mapped = mapPlain(member, replace, path === '' ? key : `${path}.${key}`);
    return mapped === undefined ? [] : [[key, mapped] as const];
  });
  return Object.fromEntries(members);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The path without the positions in lists: `issuers[].issuer`. */
export function pathPattern(path: string): string {
  return path.replaceAll(/\[\d+\]/g, '[]');
}
