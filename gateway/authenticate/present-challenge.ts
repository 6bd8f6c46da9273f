import { isRecord } from '@behalf/directives/internal';
import type { GraphQLError } from 'graphql';
import { schemeOf } from './bearer.js';
import type { DpopRules } from './dpop/options.js';
import type { IncomingRequest } from '../request/incoming-request.js';
import type { ProtectedResource } from '../http/resource-metadata.js';

const HEADER = 'www-authenticate';
const AS_WRITTEN = 'Bearer';
/** RFC 6750 section 3.1 `insufficient_scope`, RFC 9470 section 3 `insufficient_user_authentication`. */
const LACKS_SOMETHING = /^error="insufficient_/;

/**
 * Completes challenges on their way out. A refusal writes one for the `Bearer` scheme; only this place knows the acceptable
 * schemes and the address of the metadata.
 */
export class Challenges {
  readonly #dpop: DpopRules;
  readonly #resource: ProtectedResource | undefined;

  constructor(dpop: DpopRules, resource: ProtectedResource | undefined) {
    this.#dpop = dpop;
    this.#resource = resource;
  }

  /** Completes the headers that go with refusals of one request. Several may share them. */
  complete(errors: readonly GraphQLError[], incoming: IncomingRequest): void {
    for (const http of new Set(errors.map(({ extensions }) => extensions.http))) {
      if (!isRecord(http) || !(http.headers instanceof Map)) continue;
      this.#completeHeaders(http.headers as Map<string, string>, incoming);
    }
  }

  #completeHeaders(headers: Map<string, string>, incoming: IncomingRequest): void {
    const challenge = headers.get(HEADER);
    if (challenge?.startsWith(AS_WRITTEN) !== true) return;
    const parameters = challenge.slice(AS_WRITTEN.length).trim();
    const [authorization = ''] = incoming.authorization;
    const isDpop = schemeOf(authorization) === 'dpop' || this.#dpop.isAlwaysRequired;
    const challenges = [
      isDpop ? this.#dpopChallenge(parameters, incoming) : this.#bearer(parameters, incoming),
    ];
    // RFC 9449 section 7.2: both where both would do. Whoever is known and lacks something is not helped by another scheme.
    const offersBoth = !isDpop && !LACKS_SOMETHING.test(parameters);
    if (offersBoth) challenges.push(this.#dpopChallenge('', incoming));
    headers.set(HEADER, challenges.join(', '));
    const { nonces } = this.#dpop;
    if (nonces === undefined || !(isDpop || offersBoth)) return;
    // RFC 9449 section 9: the next proof need not be refused for want of it; a kept answer would give an old one.
    headers.set('dpop-nonce', nonces.current());
    headers.set('cache-control', 'no-store');
  }

  #bearer(parameters: string, incoming: IncomingRequest): string {
    return ['Bearer', [parameters, this.#metadata(incoming)].filter((part) => part !== '').join(', ')]
      .join(' ')
      .trim();
  }

  /** RFC 9449 section 7.1: `algs` says what proofs may be signed with. */
  #dpopChallenge(parameters: string, incoming: IncomingRequest): string {
    const algorithms = `algs="${this.#dpop.algorithms.join(' ')}"`;
    return `DPoP ${[parameters, algorithms, this.#metadata(incoming)].filter((part) => part !== '').join(', ')}`;
  }

  /** RFC 9728 section 5.1. */
  #metadata({ url }: IncomingRequest): string {
    return this.#resource === undefined ? '' : `resource_metadata="${this.#resource.metadataUrl(url)}"`;
  }
}
