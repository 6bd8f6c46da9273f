import { importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { PassOnError } from '../errors.js';
import { isRecord } from '../is-record.js';
import { withoutUndefined } from '../without-undefined.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';

/** How a subgraph authenticates at the gateway, to get transaction tokens for other services. */
export interface PassOnOptions {
  /** `https://gateway.example/txn-token`. */
  readonly endpoint: string;
  /** RFC 6749 section 2.3.1. Exclusive with the key. */
  readonly secret?: string;
  /** RFC 7523 section 2.2: a private key with `alg`, EdDSA, ES256, PS256 or RS256. Exclusive with the secret. */
  readonly privateKey?: JWK;
  /** Default 3,000. */
  readonly timeoutMs?: number;
}

/** RFC 8693 section 2.1. */
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** draft-ietf-oauth-transaction-tokens section 7. */
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:txn_token';
/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFETIME_SECONDS = 30;
const DEFAULT_TIMEOUT_MS = 3_000;

/** Requests transaction tokens for other audiences from the gateway, as one workload. */
export class TxnTokenExchange {
  readonly #name: string;
  readonly #gateway: string;
  readonly #options: PassOnOptions;
  readonly #clock: Clock;

  /**
   * @param name the subgraph's name at the gateway
   * @param gateway the gateway's issuer: the audience of the assertions
   */
  constructor(name: string, gateway: string, options: PassOnOptions, clock: Clock = systemClock) {
    this.#name = name;
    this.#gateway = gateway;
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * @param token the held transaction token
   * @param requestHash of the one request that the new token is for
   * @throws {PassOnError} never quotes a token
   */
  async exchange(token: string, audience: string, requestHash: string | undefined): Promise<string> {
    const form = new URLSearchParams(
      withoutUndefined({
        grant_type: GRANT_TYPE,
        subject_token: token,
        subject_token_type: TOKEN_TYPE,
        requested_token_type: TOKEN_TYPE,
        audience,
        request_hash: requestHash,
      }),
    );
    const headers: Record<string, string> = {};
    await this.#authenticate(form, headers);
    const response = await this.#send(form, headers);
    if (response.status >= 500) throw new PassOnError('TXN_TOKEN_EXCHANGE_UNAVAILABLE');
    const body: unknown = await response.json().catch(() => undefined);
    if (response.status !== 200) throw new PassOnError('TXN_TOKEN_EXCHANGE_REFUSED');
    if (!isRecord(body) || body.issued_token_type !== TOKEN_TYPE || typeof body.access_token !== 'string')
      throw new PassOnError('TXN_TOKEN_EXCHANGE_UNAVAILABLE');
    return body.access_token;
  }

  async #authenticate(form: URLSearchParams, headers: Record<string, string>): Promise<void> {
    const { secret, privateKey } = this.#options;
    if (secret !== undefined) {
      const pair = [this.#name, secret].map(encodeURIComponent).join(':');
      headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      return;
    }
    if (privateKey?.alg === undefined) throw new PassOnError('TXN_TOKEN_EXCHANGE_NOT_CONFIGURED');
    const now = Math.floor(this.#clock.now() / 1000);
    const assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: privateKey.alg })
      .setIssuer(this.#name)
      .setSubject(this.#name)
      .setAudience(this.#gateway)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_LIFETIME_SECONDS)
      .sign(await importJWK(privateKey));
    form.set('client_assertion_type', ASSERTION_TYPE);
    form.set('client_assertion', assertion);
  }

  async #send(form: URLSearchParams, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(this.#options.endpoint, {
        method: 'POST',
        body: form,
        headers,
        // The token and the credentials must not follow a redirect elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
      });
    } catch {
      throw new PassOnError('TXN_TOKEN_EXCHANGE_UNAVAILABLE');
    }
  }
}
