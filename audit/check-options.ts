import { aClock, aDatabaseUrl, checkObject, text, wholeNumber } from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { AuditError } from './errors.js';

const MAX_QUEUE = 10_000_000;
const MAX_WAIT_MS = 600_000;

const POSTGRES_SINK: Readonly<Record<string, Check>> = {
  databaseUrl: aDatabaseUrl,
  maxQueue: wholeNumber('records', 1, MAX_QUEUE),
  maxWaitMs: wholeNumber('milliseconds', 0, MAX_WAIT_MS),
  clock: aClock,
};

/** Without a URL the driver would connect to whatever the environment names. @throws {AuditError} `AUDIT_OPTION_INVALID` */
export function checkSinkOptions(options: unknown): void {
  checkObject('', options, POSTGRES_SINK, { required: ['databaseUrl'], refuse });
}

/** @throws {AuditError} `AUDIT_OPTION_INVALID` */
export function checkPath(path: unknown): void {
  const problem = text(path);
  if (problem !== undefined) refuse('path', problem);
}

function refuse(key: string, problem: string): never {
  throw new AuditError('AUDIT_OPTION_INVALID', { message: `${key}: ${problem}` });
}
