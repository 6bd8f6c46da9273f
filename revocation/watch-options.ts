import {
  aBoolean,
  aClock,
  aFunction,
  anObject,
  checkKeys,
  isRecord,
  listOf,
  must,
  oneOf,
  text,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { WatchOptionsError } from './errors.js';
import { FOREIGN_EVENTS } from './foreign-events.js';
import { streamProblem } from './stream-problem.js';
import type { StreamAddresses } from './stream-problem.js';

/** A day: whoever waits longer than any token lives trusts a cache that nothing refreshes. */
const MAX_STALENESS_MS = 86_400_000;

const staleness: Check = (value) => {
  if (typeof value !== 'number') return must('a number of milliseconds', value);
  return value > 0 && value <= MAX_STALENESS_MS
    ? undefined
    : `must be more than 0 and at most ${MAX_STALENESS_MS}`;
};

/** It is sent as a header (RFC 6750 section 2.1). */
const secret: Check = (value) => {
  if (typeof value !== 'string' || value === '') return text(value);
  return /^[\x21-\x7E]+$/.test(value) ? undefined : 'must be printable ASCII without spaces';
};

/** A class instance as well as an object. */
const log: Check = (value) =>
  typeof value === 'object' && value !== null && 'log' in value && typeof value.log === 'function'
    ? undefined
    : must('an object with a function log', value);

const OPTIONS: Readonly<Record<string, Check>> = {
  streams: listOf('streams', anObject),
  maxStalenessMs: staleness,
  log,
  onRevocation: aFunction,
  onConsentChange: aFunction,
  clock: aClock,
};

const STREAM: Readonly<Record<string, Check>> = {
  issuer: text,
  configurationUri: text,
  hosts: listOf('hosts', text),
  secret,
  instance: text,
  foreign: anObject,
  allowInsecureIssuer: aBoolean,
};

const FOREIGN: Readonly<Record<string, Check>> = {
  deliveryEndpoint: text,
  audience: text,
  jwksUri: text,
  events: listOf('event types', oneOf(...Object.keys(FOREIGN_EVENTS))),
  emailIsSubject: aBoolean,
};

/**
 * Checks the options before a stream is begun.
 *
 * @throws {WatchOptionsError} naming the key
 */
export function checkWatchOptions(options: unknown): void {
  if (!isRecord(options)) refuse('the options', must('an object', options));
  checkKeys('', options, OPTIONS, { required: ['streams'], refuse });
  const streams = options.streams as readonly Readonly<Record<string, unknown>>[];
  // A view of no stream would always be fresh.
  if (streams.length === 0) refuse('streams', 'must not be empty');
  // Otherwise a misspelt hook would leave a cache as it is.
  if (options.onRevocation === undefined && options.onConsentChange === undefined)
    refuse('onRevocation', 'is missing, and so is onConsentChange: give one of them');
  const issuers = new Set<unknown>();
  streams.forEach((stream, index) => {
    const path = `streams[${index}]`;
    checkStream(stream, path);
    // One stream that has caught up must not hide that the other has not.
    if (issuers.has(stream.issuer)) refuse(`${path}.issuer`, 'is listed twice');
    issuers.add(stream.issuer);
  });
}

function checkStream(stream: Readonly<Record<string, unknown>>, path: string): void {
  checkKeys(`${path}.`, stream, STREAM, { required: ['issuer', 'secret'], refuse });
  if (isRecord(stream.foreign)) {
    const required = ['deliveryEndpoint', 'audience'];
    checkKeys(`${path}.foreign.`, stream.foreign, FOREIGN, { required, refuse });
  }
  const found = streamProblem(stream as unknown as StreamAddresses, {
    allowInsecure: stream.allowInsecureIssuer === true,
    exemption: `${path}.allowInsecureIssuer`,
  });
  if (found !== undefined) refuse(`${path}.${found.key}`, found.problem);
}

function refuse(path: string, problem: string): never {
  throw new WatchOptionsError(path, problem);
}
