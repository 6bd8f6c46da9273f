import { SERVICE_SUBJECT_PREFIX } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';

/** The options that distinguish an issuer's names from others'. */
interface Named {
  readonly issuer: string;
  readonly namespace?: string;
}

/** The prefix of URNs, and so of services' subjects. */
const RESERVED_NAMESPACE = SERVICE_SUBJECT_PREFIX.slice(0, SERVICE_SUBJECT_PREFIX.indexOf(':'));
const NAMESPACE = /^[a-z0-9][a-z0-9-]*$/;

/**
 * Keeps the subjects, clients, actors and consents of several issuers apart: `sub` is unique only within its issuer (RFC 7519
 * section 4.1.2). Names of an issuer with a namespace begin with it and a colon, and names of the single issuer without one
 * begin with no other's, so no two issuers share a name.
 */
export class Namespaces {
  readonly #prefixes: readonly string[];

  /** @throws {ConfigurationError} if two issuers could share a name */
  constructor(issuers: readonly Named[]) {
    const taken = new Set<string>();
    issuers.forEach(({ namespace = '' }, index) => {
      const path = `issuers[${index}].namespace`;
      if (taken.has(namespace)) {
        throw new ConfigurationError(
          path,
          namespace === ''
            ? 'is needed: of several issuers only one may have none'
            : 'is the namespace of another issuer',
        );
      }
      if (namespace !== '' && (!NAMESPACE.test(namespace) || namespace === RESERVED_NAMESPACE)) {
        throw new ConfigurationError(path, 'must be of a-z, 0-9 and "-", and not "urn"');
      }
      taken.add(namespace);
    });
    this.#prefixes = [...taken].filter((namespace) => namespace !== '').map((namespace) => `${namespace}:`);
  }

  /** The name here of an issuer's name; undefined if it would pass for another issuer's, or a service's. */
  qualify(namespace: string | undefined, name: string): string | undefined {
    if (namespace !== undefined && namespace !== '') return `${namespace}:${name}`;
    if (name.startsWith(SERVICE_SUBJECT_PREFIX)) return undefined;
    return this.#prefixes.some((prefix) => name.startsWith(prefix)) ? undefined : name;
  }
}
