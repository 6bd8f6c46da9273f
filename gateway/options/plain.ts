/**
 * Rebuilds plain data with the path of each value, as a person writes it: `issuers[0].claims.scopes`. Undefined members are
 * omitted, because undefined means absent.
 *
 * @param replace gets every value before its members; its result replaces the value. `undefined` omits it, and for the same
 * value its members are visited.
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

/** The path without list positions: `issuers[].issuer`. */
export function pathPattern(path: string): string {
  return path.replaceAll(/\[\d+\]/g, '[]');
}
