import { isRecord } from '@behalf/directives/internal';
import { addressProblem, boundedFetch, FetchError, fetchJson } from '@behalf/http/internal';
import type { Clock } from '@behalf/directives';
import type { ReceiverOptions } from './stream-options.js';

const REQUEST_TIMEOUT_MS = 5_000;
/** Closing a receiver must not wait long to say goodbye. */
const FAREWELL_TIMEOUT_MS = 1_000;
const METADATA_BYTES = 256 * 1024;
const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;

/** An unusable answer of a transmitter. */
export class StreamError extends Error {
  override readonly name = 'StreamError';

  constructor(
    readonly reason: string,
    readonly status?: number,
  ) {
    super(reason);
  }
}

/** An issuer's statements about its transmitter (SSF 1.0 section 7.1), and their address. */
export interface TransmitterMetadata {
  readonly document: Readonly<Record<string, unknown>>;
  readonly address: string;
}

/** Requests to one issuer's transmitter. Redirects are not followed: a secret goes only where it was meant to go. */
export class TransmitterClient {
  readonly #fetch = boundedFetch(MAX_RESPONSE_BYTES);
  /** Hosts that secrets may be sent to. */
  readonly #hosts: ReadonlySet<string>;
  /** How far the transmitter's clock was ahead of this one at its last answer. */
  skewSeconds = 0;

  readonly #options: ReceiverOptions;
  readonly #closing: AbortSignal;
  readonly #clock: Clock;

  constructor(options: ReceiverOptions, closing: AbortSignal, clock: Clock) {
    this.#options = options;
    this.#closing = closing;
    this.#clock = clock;
    const { issuer, configurationUri, foreign, hosts = [] } = options;
    const named = [issuer, configurationUri, foreign?.deliveryEndpoint].filter((each) => each !== undefined);
    this.#hosts = new Set([...named.map((address) => new URL(address).host), ...hosts]);
  }

  /** Public, so the request carries no secret. @throws {StreamError} */
  async metadata(): Promise<TransmitterMetadata> {
    const { issuer, configurationUri = `${issuer}/.well-known/ssf-configuration` } = this.#options;
    const bounds = { timeoutMs: REQUEST_TIMEOUT_MS, maxBytes: METADATA_BYTES, signal: this.#closing };
    let document: Readonly<Record<string, unknown>>;
    try {
      document = await fetchJson(configurationUri, bounds);
    } catch (error) {
      throw new StreamError(error instanceof FetchError ? error.reason : 'NETWORK');
    }
    if (document.issuer !== issuer) throw new StreamError('METADATA_OF_ANOTHER_ISSUER');
    return { document, address: configurationUri };
  }

  /** An address from a document. @throws {StreamError} if it is not trusted */
  addressIn(value: unknown, namedBy: string, missing: string): string {
    if (typeof value !== 'string') throw new StreamError(missing);
    const { allowInsecureIssuer: allowInsecure = false } = this.#options;
    if (addressProblem(value, { allowInsecure, namedBy }) !== undefined)
      throw new StreamError('ADDRESS_NOT_TRUSTED');
    return value;
  }

  /** @throws {StreamError}, or any connection error */
  async post(
    address: string,
    secret: string,
    body: Readonly<Record<string, unknown>>,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#requireHost(address);
    const timeout = AbortSignal.timeout(timeoutMs);
    const request = {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        accept: 'application/json',
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([this.#closing, timeout]),
    };
    const response = await this.#fetch(address, request).catch((error: unknown) => {
      throw timeout.aborted ? new StreamError('TIMEOUT') : error;
    });
    if (!response.ok) throw new StreamError(`HTTP_${response.status}`, response.status);
    this.skewSeconds = skewSeconds(response.headers.get('date'), this.#clock);
    const answer: unknown = await response.json();
    if (!isRecord(answer)) throw new StreamError('ANSWER_UNREADABLE');
    return answer;
  }

  /** Best effort, also while the receiver closes: the transmitter forgets unpolled streams by itself. */
  async delete(address: string, secret: string): Promise<void> {
    try {
      this.#requireHost(address);
      await this.#fetch(address, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${secret}` },
        signal: AbortSignal.timeout(FAREWELL_TIMEOUT_MS),
      });
    } catch {
      // Not awaited.
    }
  }

  #requireHost(address: string): void {
    if (!this.#hosts.has(new URL(address).host)) throw new StreamError('ADDRESS_OF_ANOTHER_HOST');
  }
}

/** RFC 9110 section 6.6.1: a server without a clock sends no date, and then there is nothing to compare. */
function skewSeconds(date: string | null, clock: Clock): number {
  const theirsMs = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(theirsMs) ? 0 : (theirsMs - clock.now()) / 1000;
}
