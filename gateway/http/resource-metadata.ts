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
  readonly issuers: readonly string[];
  /** Of the present policy; undefined without one. */
  readonly scopes: () => readonly string[] | undefined;
  readonly dpopAlgorithms: readonly string[];
  readonly isDpopRequired: boolean;
  /** Whether the gateway can see client certificates. */
  readonly knowsClientCertificates: boolean;
}

/** The gateway as a protected resource, one per address that clients send tokens to. */
export class ProtectedResource {
  readonly #base: string;
  readonly #description: ResourceDescription;

  constructor(description: ResourceDescription) {
    this.#description = description;
    this.#base = withoutSlash(description.externalUrl);
  }

  /**
   * Section 3.3: a client compares `resource` with the address it called, so each address has its own metadata.
   *
   * @param path below the gateway's address; empty for that address itself
   */
  metadata(path = ''): ResourceMetadata {
    const { issuers, dpopAlgorithms, isDpopRequired, knowsClientCertificates } = this.#description;
    const scopes = this.#description.scopes();
    return withoutUndefined({
      resource: `${this.#base}${withoutSlash(path)}`,
      authorization_servers: issuers,
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: dpopAlgorithms,
      dpop_bound_access_tokens_required: isDpopRequired,
      tls_client_certificate_bound_access_tokens: knowsClientCertificates,
    });
  }

  /**
   * Section 3.1: the well-known part is inserted between host and path.
   *
   * @param url the address that a client called; undefined is returned for an address that is not the gateway's
   */
  metadataUrl(url: string | undefined): string {
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
