import {
  aClock,
  aDatabaseUrl,
  aLog,
  anObject,
  aPort,
  checkObject,
  checkObjects,
  isRecord,
  isStringArray,
  listOf,
  must,
  oneOf,
  text,
  wholeNumber,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { isPolicy } from '@behalf/policy/internal';
import { MAX_SHUTDOWN_MS } from '@behalf/http/internal';
import { checkClientShapes } from './clients/registration.js';
import { AuthorityError } from './errors.js';

type Checks = Readonly<Record<string, Check>>;

const KEY_BYTES = 32;
/** What PostgreSQL can be configured for. */
const MAX_CONNECTIONS = 262_143;
/** Longer ones, the service that carries the request would end. */
const MAX_LONG_POLL_MS = 600_000;
const YEAR_SECONDS = 366 * 86_400;
const MAX_SECONDS = 100 * YEAR_SECONDS;
const DAY_MS = 86_400_000;

const encryptionKey: Check = (value) => {
  if (!(value instanceof Uint8Array)) return must('a Uint8Array', value);
  return value.length === KEY_BYTES ? undefined : `must have ${KEY_BYTES} bytes`;
};
const policy: Check = (value) =>
  isPolicy(value) ? undefined : 'must be a policy that was read: await readPolicy(file)';
const isMapOfLists = (value: unknown): boolean =>
  value instanceof Map &&
  [...(value as Map<unknown, unknown>)].every(
    ([name, list]) => typeof name === 'string' && isStringArray(list),
  );
const vocabulary: Check = (value) =>
  isRecord(value) && isMapOfLists(value.scopes) && isMapOfLists(value.purposes) && value.fields instanceof Map
    ? undefined
    : 'must be the names in a schema: readVocabulary(supergraphSdl)';
const aList: Check = (value) => (Array.isArray(value) ? undefined : must('a list', value));
const texts = (words: string): Check => listOf(words, text);

const OPTIONS: Checks = {
  issuer: text,
  host: text,
  port: aPort,
  databaseUrl: aDatabaseUrl,
  maxConnections: wholeNumber('connections', 1, MAX_CONNECTIONS),
  encryptionKey,
  signingKeys: anObject,
  dataDir: text,
  audience: text,
  policy,
  policyFile: text,
  translationFiles: texts('files'),
  messages: anObject,
  vocabulary,
  clients: aList,
  profile: oneOf('fapi2'),
  clientCertificates: anObject,
  proxies: texts('addresses or networks'),
  demoAccounts: aList,
  streamSecret: text,
  streamReceivers: aList,
  pushRetry: anObject,
  durations: aList,
  defaultDurationSeconds: wholeNumber('seconds', 1, MAX_SECONDS),
  longPollMs: wholeNumber('milliseconds', 1, MAX_LONG_POLL_MS),
  shutdown: anObject,
  audit: anObject,
  log: aLog,
  clock: aClock,
};
const REQUIRED = ['port', 'databaseUrl', 'audience', 'policy', 'vocabulary', 'streamSecret'];

/** Options that are objects, and which of their members they need. */
const OBJECTS: Readonly<Record<string, { readonly known: Checks; readonly required?: readonly string[] }>> = {
  signingKeys: {
    known: {
      rotateEverySeconds: wholeNumber('seconds', 1, MAX_SECONDS),
      publishAheadSeconds: wholeNumber('seconds', 0, YEAR_SECONDS),
    },
  },
  clientCertificates: {
    known: { proxies: texts('addresses or networks'), authorities: texts('certificates') },
    required: ['proxies'],
  },
  pushRetry: {
    known: {
      firstMs: wholeNumber('milliseconds', 1, DAY_MS),
      longestMs: wholeNumber('milliseconds', 1, DAY_MS),
      attempts: wholeNumber('attempts', 1, 1_000_000),
    },
  },
  shutdown: {
    known: {
      notReadyMs: wholeNumber('milliseconds', 0, MAX_SHUTDOWN_MS),
      drainMs: wholeNumber('milliseconds', 0, MAX_SHUTDOWN_MS),
    },
  },
  audit: { known: { database: aDatabaseUrl }, required: ['database'] },
};

/** Options that are lists of objects; every member is needed unless it is optional. */
const LISTS: Readonly<Record<string, { readonly known: Checks; readonly optional?: readonly string[] }>> = {
  demoAccounts: {
    known: {
      subject: text,
      username: text,
      displayName: text,
      roles: texts('roles'),
      policies: texts('policies'),
      password: text,
    },
  },
  streamReceivers: {
    known: { name: text, secret: text, pushEndpoints: texts('addresses') },
    optional: ['pushEndpoints'],
  },
  durations: {
    known: { seconds: wholeNumber('seconds', 1, MAX_SECONDS), label: text },
    optional: ['label'],
  },
};

/**
 * Checks every key and kind of value before anything uses one: a program in JavaScript has no compiler that does, and with a
 * misspelt key the authority would protect less than its author believes.
 *
 * @throws AuthorityError `OPTION_INVALID`, and `CLIENT_INVALID` for a client, naming the key
 */
export function checkShapeOfOptions(options: unknown): void {
  checkObject('', options, OPTIONS, { required: REQUIRED, refuse });
  const given = options as Readonly<Record<string, unknown>>;
  for (const [key, { known, required = [] }] of Object.entries(OBJECTS))
    if (given[key] !== undefined) checkObject(key, given[key], known, { required, refuse });
  for (const [key, { known, optional = [] }] of Object.entries(LISTS)) {
    const required = Object.keys(known).filter((name) => !optional.includes(name));
    if (given[key] !== undefined) checkObjects(key, given[key], known, { required, refuse });
  }
  // The page of a consent would have nothing to choose from.
  if (Array.isArray(given.durations) && given.durations.length === 0)
    refuse('durations', 'must not be empty');
  checkClientShapes(given.clients);
}

export function refuse(key: string, problem: string): never {
  throw new AuthorityError('OPTION_INVALID', `${key} ${problem}`);
}
