import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import type { HeaderReader } from '@behalf/directives/internal';
import type { Authenticated, Incoming } from './stages.js';
import { Exchange } from '../request/exchange.js';
import { checkIncoming } from '../request/incoming-request.js';
import type { IncomingRequest } from '../request/incoming-request.js';
import type { SharedUse } from '../request/shared-use.js';

/**
 * One HTTP request at the gateway. It is authenticated once; each of its operations then runs as a separate exchange, because
 * operations with a shared exchange would execute each other's documents.
 */
export class GatewayRequest {
  readonly usage: SharedUse = { tokens: 0, planning: undefined };
  /** The request's own exchange, which its first operation takes over. */
  readonly exchange: Exchange;
  readonly #clientHeaders: HeaderReader | undefined;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #operations: Exchange[] = [];
  #caller: Authenticated | undefined;

  /** @throws {ConfigurationError} for anything that is not an {@link IncomingRequest} */
  constructor(
    readonly incoming: IncomingRequest,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#clock = clock;
    this.#clientHeaders = checkIncoming(incoming);
    this.exchange = new Exchange(incoming, this.#clientHeaders, clock);
  }

  /** The authenticated caller; undefined until the token was verified, or may be absent. */
  get caller(): Authenticated | undefined {
    return this.#caller;
  }

  /** The stage of the request before its first operation. */
  get entry(): Incoming | Authenticated {
    return this.#caller ?? { exchange: this.exchange, usage: this.usage, isAuthenticated: false };
  }

  /** Every exchange of this request: only its own until a second operation begins. */
  get exchanges(): readonly Exchange[] {
    return this.#operations.length === 0 ? [this.exchange] : this.#operations;
  }

  /** Headers of the response, whatever the operations' outcomes. */
  get responseHeaders(): ReadonlyMap<string, string> {
    const nonce = this.#caller?.nextNonce;
    return nonce === undefined ? NO_HEADERS : new Map([['dpop-nonce', nonce]]);
  }

  admit(caller: Authenticated): void {
    this.#caller = caller;
  }

  /** The stage from which the next operation continues. */
  nextOperation(): Incoming | Authenticated {
    const isFirst = this.#operations.length === 0;
    const exchange = isFirst ? this.exchange : new Exchange(this.incoming, this.#clientHeaders, this.#clock);
    this.#operations.push(exchange);
    if (isFirst) return this.entry;
    // Each operation counts as a request.
    return this.#caller === undefined
      ? { exchange, usage: this.usage, isAuthenticated: false }
      : { ...this.#caller, exchange, isCounted: false };
  }
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

/** The request's key in the context value of Apollo Server. */
export const REQUEST: unique symbol = Symbol('behalf.request');

/** The context value that `ProtectedGateway.context` makes for Apollo Server. */
export interface GatewayContext {
  readonly [REQUEST]: GatewayRequest;
}

export function requestOf(contextValue: unknown): GatewayRequest | undefined {
  if (typeof contextValue !== 'object' || contextValue === null) return undefined;
  const request = (contextValue as Partial<GatewayContext>)[REQUEST];
  return request instanceof GatewayRequest ? request : undefined;
}
