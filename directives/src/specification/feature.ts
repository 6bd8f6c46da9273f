/**
 * A specification is identified by the `url` of `@link` without its version (https://specs.apollo.dev/link/v1.0 section "Name
 * in URL").
 */
export const LINK_IDENTITY = 'https://specs.apollo.dev/link';
export const FEDERATION_IDENTITY = 'https://specs.apollo.dev/federation';
export const AUTHENTICATED_IDENTITY = 'https://specs.apollo.dev/authenticated';
export const REQUIRES_SCOPES_IDENTITY = 'https://specs.apollo.dev/requiresScopes';
export const POLICY_IDENTITY = 'https://specs.apollo.dev/policy';
export const INACCESSIBLE_IDENTITY = 'https://specs.apollo.dev/inaccessible';
export const JOIN_IDENTITY = 'https://specs.apollo.dev/join';
export const BEHALF_IDENTITY = 'https://specs.behalf.dev/behalf';

/** The version of Behalf's own directives that this library reads. */
export const BEHALF_VERSION = 'v0.1';
/** The version of the standard directives' own specifications that this library reads. */
export const STANDARD_RULE_VERSION = 'v0.1';

export interface FeatureUrl {
  readonly identity: string;
  /** Last path segment before the version. */
  readonly name: string;
  /** As written, `v0.1`; empty if the address has none. */
  readonly version: string;
}

const VERSION = /^v\d+\.\d+$/;

/** Splits the `url` argument of `@link`. Never throws: anything but an address has an empty version. */
export function parseFeatureUrl(url: string): FeatureUrl {
  const path = url.replace(/\/+$/, '');
  const lastSlash = path.lastIndexOf('/');
  const last = path.slice(lastSlash + 1);
  if (!VERSION.test(last)) return { identity: path, name: last, version: '' };
  const identity = path.slice(0, lastSlash);
  return { identity, name: identity.slice(identity.lastIndexOf('/') + 1), version: last };
}
