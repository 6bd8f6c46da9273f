import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import { isRecord } from '@behalf/directives/internal';
import { shapeProblem } from '@behalf/policy/internal';
import schema from './schema.json' with { type: 'json' };
import { ConfigurationError } from '../errors.js';
import { nearest } from './suggestion.js';

// ajv-formats is CommonJS, but its types say otherwise.
const addFormats = formats as unknown as (ajv: Ajv) => void;

/** The one validator of options and configuration files. It fills in defaults, so it gets a copy of the data. */
const validate = (() => {
  const ajv = new Ajv({ strict: true, allErrors: true, verbose: true, useDefaults: true });
  addFormats(ajv);
  return ajv.compile(schema);
})();

/**
 * Checks data against the schema, and fills in every default.
 *
 * @param data is modified
 * @throws {ConfigurationError} with the path of the key, and a suggestion
 */
export function requireShape(data: unknown): void {
  if (validate(data)) return;
  const errors = validate.errors ?? [];
  // A misspelt key makes another one missing, so it is reported first.
  const error = errors.find(({ keyword }) => keyword === 'additionalProperties') ?? errors[0];
  const { path, problem } = shapeProblem(error);
  throw new ConfigurationError(path, `${problem}${suggestionFor(error)}`);
}

function suggestionFor(error: ErrorObject | undefined): string {
  if (error?.keyword === 'enum') {
    const allowed = (error.params.allowedValues as unknown[]).filter((value) => typeof value === 'string');
    const meant = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
    return meant === undefined ? '' : `; did you mean ${meant}?`;
  }
  if (error?.keyword !== 'additionalProperties') return '';
  const key = String(error.params.additionalProperty);
  const siblings = error.parentSchema?.properties as object | undefined;
  const meant = nearest(key, Object.keys(siblings ?? {}));
  if (meant !== undefined) return `; did you mean ${meant}?`;
  const elsewhere = pathsTo(key, schema.properties);
  return elsewhere.length === 0 ? '' : `; did you mean ${elsewhere.join(' or ')}?`;
}

/** The places at which the configuration has a key of this name. */
function pathsTo(key: string, properties: Readonly<Record<string, unknown>>, above = ''): string[] {
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = above === '' ? name : `${above}.${name}`;
    const below =
      isRecord(property) && isRecord(property.properties) ? pathsTo(key, property.properties, path) : [];
    return name === key ? [path, ...below] : below;
  });
}
