import { aClock, aFunction, checkKeys, isRecord, kindOf, withMethods } from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';
import { functionsByName } from '../options/extras.js';

const OVERRIDES: Readonly<Record<string, Check>> = {
  log: withMethods('a log', ['log']),
  policies: functionsByName,
  clock: aClock,
  onRevocation: aFunction,
  onConsentChange: aFunction,
};

/** Checks what a program adds to its configuration. @throws {ConfigurationError} with the path of the key */
export function checkOverrides(overrides: unknown): void {
  if (!isRecord(overrides))
    throw new ConfigurationError('', `the second argument must be an object, not ${kindOf(overrides)}`);
  const refuse = (key: string, problem: string): never => {
    throw new ConfigurationError(key, problem);
  };
  checkKeys('', overrides, OVERRIDES, { required: [], refuse });
}
