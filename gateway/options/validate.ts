import { shapeCheck } from '@behalf/policy/internal';
import type { ShapeProblem } from '@behalf/policy/internal';
import schema from './schema.json' with { type: 'json' };
import { ConfigurationError } from '../errors.js';
import { FILES_ONLY, LIBRARY_ONLY } from './extras.js';
import { librarySchema } from './library-schema.js';
import { mapPlain } from './plain.js';

/** The checks of configuration files and of options. They fill in defaults, so they get a copy of the data. */
const CHECKS = {
  file: shapeCheck(schema, { useDefaults: true }),
  library: shapeCheck(librarySchema(FILES_ONLY, LIBRARY_ONLY), { useDefaults: true }),
};

/**
 * Checks data against the schema.
 *
 * @param replace as for {@link mapPlain}
 * @returns a copy, with every default
 * @throws {ConfigurationError} with the path of the key, and a suggestion
 */
export function checkShape(
  value: unknown,
  of: keyof typeof CHECKS,
  replace: (value: unknown, path: string) => unknown = (member) => member,
): unknown {
  let unplain: ShapeProblem | undefined;
  const data = mapPlain(value, replace, (path, problem) => {
    unplain ??= { path, problem };
  });
  const found = CHECKS[of](data);
  const first = unplain === undefined || isAbout(unplain.path, found) ? found : unplain;
  if (first !== undefined) throw new ConfigurationError(first.path, first.problem);
  return data;
}

/** Whether a path is that of an unknown key, or of something in it: then the key is misspelt, and its value may be right. */
function isAbout(path: string, found: ShapeProblem | undefined): boolean {
  if (found?.isUnknownKey !== true) return false;
  return path === found.path || path.startsWith(`${found.path}.`) || path.startsWith(`${found.path}[`);
}
