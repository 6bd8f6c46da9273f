import type { Clock } from '@behalf/directives';
import { addressProblem, fetchJson } from '@behalf/http/internal';
import { KeysUnavailableError } from '@behalf/revocation/internal';

const TIMEOUT_MS = 5_000;
const METADATA_BYTES = 256 * 1024;
/** Pause after a failed discovery: senders of tokens must not make the gateway retry each time. */
const PAUSE_MS = 1_000;

export interface DiscoveryOptions {
  readonly issuer: string;
  readonly jwksUri?: string;
  readonly allowInsecureIssuer?: boolean;
}

/** Finds an issuer's key set: at the configured address, or by the issuer's current metadata. */
export class KeySetDiscovery {
  #failed: Promise<string> | undefined;
  readonly #options: DiscoveryOptions;
  readonly #clock: Clock;

  constructor(options: DiscoveryOptions, clock: Clock) {
    this.#clock = clock;
    this.#options = options;
  }

  /** @throws {KeysUnavailableError} `DISCOVERY` */
  async locate(): Promise<string> {
    const { jwksUri } = this.#options;
    if (jwksUri !== undefined) return jwksUri;
    if (this.#failed !== undefined) return this.#failed;
    const found = this.#discover();
    found.catch(() => {
      this.#failed = found;
      this.#clock.after(PAUSE_MS, () => {
        this.#failed = undefined;
      });
    });
    return found;
  }

  /** RFC 8414 section 3.1 places the well-known part before the path, OpenID Connect Discovery after it. */
  async #discover(): Promise<string> {
    const { origin, pathname } = new URL(this.#options.issuer);
    const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
    const candidates = [
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ];
    for (const address of candidates) {
      const jwksUri = await this.#read(address);
      if (jwksUri !== undefined) return jwksUri;
    }
    throw new KeysUnavailableError('DISCOVERY');
  }

  async #read(address: string): Promise<string | undefined> {
    const { issuer, allowInsecureIssuer: allowInsecure = false } = this.#options;
    try {
      const metadata = await fetchJson(address, { timeoutMs: TIMEOUT_MS, maxBytes: METADATA_BYTES });
      // RFC 8414 section 3.3: the metadata must be this issuer's own.
      if (metadata.issuer !== issuer || typeof metadata.jwks_uri !== 'string') return undefined;
      const problem = addressProblem(metadata.jwks_uri, { allowInsecure, namedBy: address });
      return problem === undefined ? metadata.jwks_uri : undefined;
    } catch {
      // The next address may answer; if none does, this is the answer.
      return undefined;
    }
  }
}
