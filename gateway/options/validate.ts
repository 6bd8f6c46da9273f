import { shapeCheck } from '@behalf/policy/internal';
import schema from './schema.json' with { type: 'json' };
import { ConfigurationError } from '../errors.js';

/** The one check of options and configuration files. It fills in defaults, so it gets a copy of the data. */
const checkShape = shapeCheck(schema, { useDefaults: true });

/**
 * Checks data against the schema, and fills in every default.
 *
 * @param data is modified
 * @throws {ConfigurationError} with the path of the key, and a suggestion
 */
export function requireShape(data: unknown): void {
  const found = checkShape(data);
  if (found !== undefined) throw new ConfigurationError(found.path, found.problem);
}
