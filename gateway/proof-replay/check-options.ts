import { aDatabaseUrl, checkObject, wholeNumber, withMethods } from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';

/** More, a Map cannot hold. The schema has the same bound. */
const MAX_ENTRIES = 2 ** 24;

const MEMORY: Readonly<Record<string, Check>> = {
  maxEntries: wholeNumber('entries', 1, MAX_ENTRIES),
  clock: withMethods('a clock', ['now', 'monotonic']),
};
const POSTGRES: Readonly<Record<string, Check>> = { databaseUrl: aDatabaseUrl, ...MEMORY };

/** NaN would be no bound at all. @throws {ConfigurationError} naming the option */
export function checkMemoryOptions(options: unknown): void {
  checkObject('', options, MEMORY, { required: [], refuse });
}

/** Without a URL the driver would connect to whatever the environment names. @throws {ConfigurationError} naming the option */
export function checkPostgresOptions(options: unknown): void {
  checkObject('', options, POSTGRES, { required: ['databaseUrl'], refuse });
}

function refuse(key: string, problem: string): never {
  throw new ConfigurationError(key, problem);
}
