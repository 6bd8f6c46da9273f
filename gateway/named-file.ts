import { readTextFile } from '@behalf/policy/internal';
import { ConfigurationError } from './errors.js';

/**
 * Reads a file that a key of the configuration names.
 *
 * @param path of the key
 * @throws {ConfigurationError} `FILE_UNREADABLE`
 */
export async function readNamedFile(file: string, path: string): Promise<string> {
  return readTextFile(file, (problem) => new ConfigurationError(path, problem, 'FILE_UNREADABLE'));
}
