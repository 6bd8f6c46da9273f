import { isRecord, keyPath, kindOf } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';

/** Deeper than any options or configuration file. */
const MAX_DEPTH = 50;

type Replace = (value: unknown, path: string) => unknown;
/** Gets an object that is not plain. If it returns, an empty one takes its place. */
type Refuse = (path: string, problem: string) => void;

/**
 * Rebuilds plain data with the path of each value, as a person writes it: `issuers[0].claims.scopes`. A key with a dot is quoted,
 * so that it cannot pass for a path: `subgraphs."a.b".url`. Undefined members are omitted, because undefined means absent.
 *
 * @param replace gets every value before its members; its result replaces the value. `undefined` omits it, and for the same
 * value its members are visited.
 * @throws {ConfigurationError} for an object that is not plain, such as a Map: its content would go unnoticed; and for data
 * that contains itself
 */
export function mapPlain(value: unknown, replace: Replace, refuse: Refuse = refuseAtOnce): unknown {
  return mapValue(value, { replace, refuse }, '', []);
}

function refuseAtOnce(path: string, problem: string): never {
  throw new ConfigurationError(path, problem);
}

function mapValue(
  value: unknown,
  how: { readonly replace: Replace; readonly refuse: Refuse },
  path: string,
  above: readonly unknown[],
): unknown {
  const replaced = how.replace(value, path);
  if (replaced !== value) return replaced;
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) throw new ConfigurationError(path, 'contains itself');
  if (above.length >= MAX_DEPTH) throw new ConfigurationError(path, 'is nested too deeply');
  const within = [...above, value];
  if (Array.isArray(value))
    return value.map((entry: unknown, index) => mapValue(entry, how, `${path}[${index}]`, within));
  if (!isRecord(value)) {
    how.refuse(path, `must be a plain object, not ${kindOf(value)}`);
    return {};
  }
  const members = Object.entries(value).flatMap(([key, member]) => {
    const mapped = mapValue(member, how, keyPath(path, key), within);
    return mapped === undefined ? [] : [[key, mapped] as const];
  });
  return Object.fromEntries(members);
}

/** The path without list positions: `issuers[].issuer`. */
export function pathPattern(path: string): string {
  return path.replaceAll(/\[\d+\]/g, '[]');
}
