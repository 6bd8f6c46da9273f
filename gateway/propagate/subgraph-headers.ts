import type { Delegation } from '@behalf/directives';
import { keyPath } from '@behalf/directives/internal';
import type { HeaderReader } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';
import { isOwnHeader, isUnforwardableHeader } from './reserved-headers.js';
import { IDENTITY_SOURCES } from './subgraph-options.js';
import type { IdentitySource, SubgraphOptions, SubgraphsOptions } from './subgraph-options.js';

/** By subgraph name, for those with options. @throws {ConfigurationError} */
export function compileSubgraphHeaders(
  subgraphs: SubgraphsOptions = {},
): ReadonlyMap<string, SubgraphHeaders> {
  return new Map(
    Object.entries(subgraphs).map(([name, options]) => [name, new SubgraphHeaders(name, options)]),
  );
}

export const MAX_HEADER_VALUE_BYTES = 4_096;
/**
 * No underscore or dot: many backends fold `x_user_id`, `x.user.id` and `x-user-id` into one name, so a client could state by
 * one what the gateway states by another.
 */
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/**
 * Printable ASCII without white space at either end. Recipients strip that (RFC 9110 section 5.5), so ` admin` would arrive as
 * `admin`; and they decode other characters differently.
 */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
/** RFC 9110 section 5.5 `field-value`; what a client sends may hold `obs-text`. */
const FORWARDED_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LIST_MEMBER = /^[\x21-\x7e]+$/;

/** A header cannot carry this part of the delegation unchanged. */
export class UnsendableHeaderError extends Error {
  override readonly name = 'UnsendableHeaderError';

  constructor(readonly header: string) {
    super(`the value of ${header} cannot be sent in a header`);
  }
}

interface IdentityHeader {
  readonly name: string;
  readonly from: IdentitySource;
}

/**
 * The headers that one subgraph relies on: statements from the verified delegation, constants, and listed client headers. A
 * client never decides the value of a name that the gateway states.
 */
export class SubgraphHeaders {
  readonly #constants: Readonly<Record<string, string>>;
  readonly #identity: readonly IdentityHeader[];
  readonly #forwarded: readonly string[];
  readonly #roles: ReadonlySet<string>;

  /** @throws {ConfigurationError} for names that must not be set or forwarded, and for values that cannot be sent. */
  constructor(subgraph: string, { headers = {}, forwardHeaders = [], roles = [] }: SubgraphOptions) {
    const path = keyPath('subgraphs', subgraph);
    const constants: Record<string, string> = {};
    const identity: IdentityHeader[] = [];
    const stated = new Set<string>();
    for (const [given, source] of Object.entries(headers)) {
      const name = checkName(given, `${path}.headers.${given}`, stated);
      if (isOwnHeader(name))
        throw new ConfigurationError(`${path}.headers.${given}`, 'is set by the gateway or by HTTP itself');
      if (source.value !== undefined) {
        constants[name] = checkConstant(source.value, `${path}.headers.${given}`);
        continue;
      }
      if (!IDENTITY_SOURCES.includes(source.from))
        throw new ConfigurationError(
          `${path}.headers.${given}.from`,
          `must be one of ${IDENTITY_SOURCES.join(', ')}`,
        );
      // It would look like the access token, which it is not.
      if (name === 'authorization')
        throw new ConfigurationError(`${path}.headers.${given}`, 'can be a constant only');
      if (source.from === 'roles') checkRoles(roles, path);
      identity.push({ name, from: source.from });
    }
    this.#constants = constants;
    this.#identity = identity;
    this.#roles = new Set(roles);
    this.#forwarded = forwardHeaders.map((given, index) =>
      checkForwarded(given, `${path}.forwardHeaders[${index}]`, stated),
    );
  }

  /** Names of the headers that state an identity. */
  get identityNames(): readonly string[] {
    return this.#identity.map(({ name }) => name);
  }

  /** Names of the client's headers that are passed on. */
  get forwardedNames(): readonly string[] {
    return this.#forwarded;
  }

  /**
   * The headers of one request, with names in lower case. Without a delegation, identity headers are absent, as is a header
   * whose source the delegation lacks.
   *
   * @throws {UnsendableHeaderError}
   */
  of(delegation: Delegation | undefined, client: HeaderReader | undefined): Record<string, string> {
    const headers: Record<string, string> = forwardedOf(client, this.#forwarded);
    Object.assign(headers, this.#constants);
    if (delegation === undefined) return headers;
    for (const { name, from } of this.#identity) {
      const value = this.#valueOf(from, delegation, name);
      if (value === undefined) continue;
      if (value.length > MAX_HEADER_VALUE_BYTES || !HEADER_VALUE.test(value))
        throw new UnsendableHeaderError(name);
      headers[name] = value;
    }
    return headers;
  }

  #valueOf(from: IdentitySource, delegation: Delegation, name: string): string | undefined {
    switch (from) {
      case 'subject':
        return delegation.service === true ? undefined : delegation.subject;
      case 'client':
        return delegation.clientId;
      case 'actor':
        return delegation.actor?.sub;
      case 'consent':
        return delegation.consent?.id;
      case 'scopes':
        return joined([...delegation.scopes], name);
      case 'purposes':
        return joined(delegation.consent?.purposes ?? [], name);
      case 'roles':
        return joined(
          delegation.roles.filter((role) => this.#roles.has(role)),
          name,
        );
    }
  }
}

/** A name with a space would arrive as two. @throws {UnsendableHeaderError} */
function joined(names: readonly string[], header: string): string | undefined {
  if (names.some((name) => !LIST_MEMBER.test(name))) throw new UnsendableHeaderError(header);
  return names.length === 0 ? undefined : names.join(' ');
}

/**
 * The client's own headers, with repeats joined (RFC 9110 section 5.3). One that is too long or invalid is omitted, as the
 * client could have done.
 */
function forwardedOf(client: HeaderReader | undefined, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const given = client?.(name);
    if (given === undefined) continue;
    const value = typeof given === 'string' ? given : given.join(', ');
    if (value.length <= MAX_HEADER_VALUE_BYTES && FORWARDED_VALUE.test(value)) headers[name] = value;
  }
  return headers;
}

/** @returns the name in lower case, now reserved. @throws {ConfigurationError} */
function checkName(given: string, path: string, taken: Set<string>): string {
  if (!HEADER_NAME.test(given)) {
    throw new ConfigurationError(
      path,
      'must be a header name of letters, digits and hyphens, such as x-user-id',
    );
  }
  const name = given.toLowerCase();
  if (taken.has(name)) throw new ConfigurationError(path, 'is named twice: case does not tell headers apart');
  taken.add(name);
  return name;
}

function checkForwarded(given: string, path: string, taken: Set<string>): string {
  if (taken.has(given.toLowerCase()))
    throw new ConfigurationError(path, `${given} is set by the gateway, or named twice`);
  const name = checkName(given, path, taken);
  if (isUnforwardableHeader(name))
    throw new ConfigurationError(path, `${given} must not reach a subgraph from a client`);
  return name;
}

function checkConstant(value: string, path: string): string {
  if (value.length <= MAX_HEADER_VALUE_BYTES && HEADER_VALUE.test(value)) return value;
  throw new ConfigurationError(
    `${path}.value`,
    `must be at most ${MAX_HEADER_VALUE_BYTES} printable ASCII characters without spaces at its ends`,
  );
}

/** Only named roles are sent; without names the header would never exist. */
function checkRoles(roles: readonly string[], path: string): void {
  if (roles.length === 0)
    throw new ConfigurationError(`${path}.roles`, 'must name the roles that a header may state');
  roles.forEach((role, index) => {
    if (!LIST_MEMBER.test(role))
      throw new ConfigurationError(
        `${path}.roles[${index}]`,
        'must have no space when a header states roles',
      );
  });
}
