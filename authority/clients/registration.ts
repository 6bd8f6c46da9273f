import { ceilingOf, shapeCheck } from '@behalf/policy/internal';
import type { Policy } from '@behalf/policy';
import { AuthorityError } from '../errors.js';
import { ApplicationError } from './errors.js';
import type { StoredRegistration } from '../client-registration.js';
import schema from './registration-schema.json' with { type: 'json' };

const CLIENT_ID = /^[\w-]{1,64}$/;
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]']);

const checkShape = shapeCheck(schema, { ownProperties: true });
/** A client of the options: the same registration, with what the store has columns for. Nobody there is told owner and contact. */
const checkGivenShape = shapeCheck(
  {
    ...schema,
    $id: undefined,
    required: ['clientId', 'displayName', 'redirectUris'],
    properties: {
      clientId: {
        type: 'string',
        // RFC 6749 appendix A.1.
        pattern: '^[\\x20-\\x7E]+$',
        patternErrorMessage: 'must be printable ASCII',
      },
      secret: { type: 'string', minLength: 1 },
      secretDigest: { type: 'string', minLength: 1 },
      ...schema.properties,
    },
  },
  { ownProperties: true },
);

/** @throws ApplicationError `CLIENT_INVALID` */
export function checkClientId(clientId: string): void {
  if (!CLIENT_ID.test(clientId)) {
    throw new ApplicationError('CLIENT_INVALID', 'the identifier must be 1 to 64 of A-Z a-z 0-9 _ -');
  }
}

/**
 * Checks the shape of the clients in the authority's options.
 *
 * @throws AuthorityError `CLIENT_INVALID`, naming the key: `clients[0].oauth.profile`
 */
export function checkClientShapes(clients: unknown): void {
  if (!Array.isArray(clients)) return;
  Array.from(clients as readonly unknown[]).forEach((client, index) => {
    const found = checkGivenShape(client);
    if (found === undefined) return;
    const path = found.path === '' ? `clients[${index}]` : `clients[${index}].${found.path}`;
    throw new AuthorityError('CLIENT_INVALID', `${path} ${found.problem}`);
  });
}

/** Checks the shape by the schema, then what a schema cannot express. @throws ApplicationError `CLIENT_INVALID` */
export function checkRegistration(value: unknown): StoredRegistration {
  const found = checkShape(value);
  if (found !== undefined)
    throw new ApplicationError('CLIENT_INVALID', `${found.path} ${found.problem}`.trim());
  const registration = value as StoredRegistration;
  registration.redirectUris.forEach((uri, index) => checkRedirectUri(uri, `redirectUris[${index}]`));
  return registration;
}

/**
 * RFC 9700, section 2.1: compared exactly, so no wildcards; RFC 6749, section 3.1.2: no fragment.
 * Plain http only for the loopback interface, by address (RFC 8252, sections 7.3 and 8.3).
 */
function checkRedirectUri(uri: string, path: string): void {
  const url = URL.parse(uri);
  const refuse = (why: string): never => {
    throw new ApplicationError('CLIENT_INVALID', `${path} ${why}`);
  };
  if (url === null) return refuse('is not an absolute address');
  if (uri.includes('#')) return refuse('must have no fragment');
  if (url.username !== '' || url.password !== '') return refuse('must have no name or password');
  if (uri.includes('*')) return refuse('must be exact');
  const isLoopback = LOOPBACK_HOSTS.has(url.hostname);
  if (url.protocol === 'http:' && isLoopback) return;
  if (url.protocol === 'https:' && !isLoopback && url.hostname !== 'localhost') return;
  return refuse('must be https, or http on 127.0.0.1 or [::1] for a native application');
}

/**
 * Refuses an application without a ceiling in the policy, which authority and gateway would both refuse everything. @throws
 * ApplicationError
 */
export function checkCeiling(clientId: string, policy: Policy): void {
  if (ceilingOf(policy, clientId).kind !== 'nothing') return;
  throw new ApplicationError(
    'CLIENT_NOT_IN_POLICY',
    `the policy has no entry for "${clientId}" under clients, and none for "*"`,
  );
}
