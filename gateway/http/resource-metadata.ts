import { withoutUndefined } from '@behalf/directives/internal';

/** RFC 9728 section 3. */
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Protected resource metadata (RFC 9728 section 2). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly dpop_signing_alg_values_supported: readonly string[];
  readonly dpop_bound_access_tokens_required: boolean;
  readonly tls_client_certificate_bound_access_tokens: boolean;
}

export interface ResourceDescription {
  /** The address under which clients reach the gateway. */
  readonly externalUrl: string;
  /** Where clients send operations, below that; undefined if the team's own server decides. */
  readonly operationsPath?: string | undefined;
  /** `audience` is the resource that clients request tokens for (RFC 8707). */
  readonly issuers: readonly { readonly issuer: string; readonly audience: string }[];
  /** The scopes of the current policy; undefined without a policy. */
  readonly scopes: () => readonly string[] | undefined;
  readonly dpopAlgorithms: readonly string[];
  readonly isDpopRequired: boolean;
  /** Whether the gateway can see client certificates. */
  readonly knowsClientCertificates: boolean;
}

/**
 * The gateway as a protected resource. Its identifier is the address of operations, if that is an issuer's audience: only
 * that does an authorization server accept as `resource`, and a client compares it with the address that it called. If there is
 * none, each address that clients send tokens to is described as a resource of its own.
 */
export class ProtectedResource {
  readonly #base: string;
  readonly #description: ResourceDescription;
  /** Undefined if no issuer's audience is one. */
  readonly identifier: string | undefined;

  constructor(description: ResourceDescription) {
    this.#description = description;
    this.#base = withoutSlash(description.externalUrl);
    const audiences = description.issuers.map(({ audience }) => audience);
    this.identifier = audiences.find((audience) => this.#isOfOperations(audience));
  }

  #isOfOperations(address: string): boolean {
    const { operationsPath } = this.#description;
    if (operationsPath !== undefined) return address === `${this.#base}${operationsPath}`;
    // A query or a fragment is left out of the metadata's address, so it can be no part of what a client compares.
    return address.startsWith(`${this.#base}/`) && !/[?#]|\/$/.test(address) && URL.canParse(address);
  }

  /**
   * Section 3.3: a client compares `resource` with the address it called.
   *
   * @param path below the gateway's address; empty for that address itself. It does not matter if there is an identifier
   */
  metadata(path = ''): ResourceMetadata {
    const { dpopAlgorithms, isDpopRequired, knowsClientCertificates } = this.#description;
    const resource = this.identifier ?? `${this.#base}${withoutSlash(path)}`;
    const scopes = this.#description.scopes();
    return withoutUndefined({
      resource,
      authorization_servers: this.#issuersOf(resource),
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: dpopAlgorithms,
      dpop_bound_access_tokens_required: isDpopRequired,
      tls_client_certificate_bound_access_tokens: knowsClientCertificates,
    });
  }

  /** Those that issue tokens for the resource. Another one would refuse it; if there are none, a client may ask each. */
  #issuersOf(resource: string): readonly string[] {
    const { issuers } = this.#description;
    const own = issuers.filter(({ audience }) => audience === resource);
    return (own.length === 0 ? issuers : own).map(({ issuer }) => issuer);
  }

  /**
   * Section 3.1: the well-known part is inserted between host and path.
   *
   * @param url the address that a client called. It does not matter if there is an identifier
   */
  metadataUrl(url: string | undefined): string {
    if (this.identifier !== undefined) return wellKnownUrl(this.identifier);
    const asked = withoutSlash(url?.split(/[?#]/, 1)[0] ?? '');
    return wellKnownUrl(asked.startsWith(`${this.#base}/`) ? asked : this.#base);
  }

  /** The path that the metadata at this address describes; undefined for any other address. */
  pathOf(metadataPath: string, paths: readonly string[]): string | undefined {
    if (!metadataPath.startsWith(WELL_KNOWN)) return undefined;
    return paths.find((path) => new URL(this.metadataUrl(`${this.#base}${path}`)).pathname === metadataPath);
  }
}

function wellKnownUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${WELL_KNOWN}${withoutSlash(pathname)}`;
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}
