import { ConfigurationError } from './errors.js';

/**
 * Imports a module of an optional package.
 *
 * @param key the configuration key that asks for it
 * @param packages all packages that it needs, as npm installs them
 * @throws {ConfigurationError} when one of them is not installed
 */
export async function importOptional<Module>(
  key: string,
  packages: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    throw new ConfigurationError(key, `needs packages that are not installed: npm install ${packages}`);
  }
}
