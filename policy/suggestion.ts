import type { ErrorObject } from 'ajv';
import { isRecord, nearest } from '@behalf/directives/internal';

/** The end of a sentence about an unknown key or value: `; did you mean issuers?`, or nothing if none is close. */
export function suggestionFor(error: ErrorObject, elsewhere: (key: string) => readonly string[]): string {
  const { keyword, params, data, parentSchema } = error;
  if (keyword === 'enum') {
    const allowed = (params.allowedValues as unknown[]).filter((value) => typeof value === 'string');
    // The sentence has named the only one.
    if (typeof data !== 'string' || allowed.length < 2) return '';
    return question([nearest(data, allowed)]);
  }
  if (keyword !== 'additionalProperties') return '';
  const key = String(params.additionalProperty);
  const known = Object.keys((parentSchema?.properties as object | undefined) ?? {});
  const meant = nearest(key, known);
  const places = meant === undefined ? elsewhere(key) : [meant];
  return places.length > 0 || known.length === 0 ? question(places) : `; the keys are ${known.join(', ')}`;
}

function question(meant: readonly (string | undefined)[]): string {
  const words = meant.filter((word) => word !== undefined);
  return words.length === 0 ? '' : `; did you mean ${words.join(' or ')}?`;
}

/** The places at which a schema has a key of this name. */
export function pathsToKey(key: string, schema: object, above = ''): string[] {
  if (!('properties' in schema) || !isRecord(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    const path = above === '' ? name : `${above}.${name}`;
    const below = isRecord(property) ? pathsToKey(key, property, path) : [];
    return name === key ? [path, ...below] : below;
  });
}
