import {
  aBoolean,
  aDatabaseUrl,
  aLog,
  anObject,
  aPort,
  checkObject,
  checkTrust,
  refuseOption as refuse,
  text,
  wholeNumber,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { MAX_SHUTDOWN_MS } from '@behalf/http/internal';

const OPTIONS: Readonly<Record<string, Check>> = {
  databaseUrl: aDatabaseUrl,
  auditDatabaseUrl: aDatabaseUrl,
  gateway: anObject,
  host: text,
  port: aPort,
  introspection: aBoolean,
  shutdown: anObject,
  log: aLog,
};
const SHUTDOWN: Readonly<Record<string, Check>> = {
  notReadyMs: wholeNumber('milliseconds', 0, MAX_SHUTDOWN_MS),
  drainMs: wholeNumber('milliseconds', 0, MAX_SHUTDOWN_MS),
};

/**
 * Checks the options before anything is opened, as those of every protected subgraph.
 *
 * @throws {DirectiveError} `INVALID_OPTIONS`, naming the key
 */
export function checkOptions(options: unknown): void {
  checkObject('', options, OPTIONS, { required: ['databaseUrl', 'gateway'], refuse });
  const { gateway, shutdown } = options as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  if (shutdown !== undefined) checkObject('shutdown', shutdown, SHUTDOWN, { required: [], refuse });
  if (gateway !== undefined) checkTrust(gateway);
}
