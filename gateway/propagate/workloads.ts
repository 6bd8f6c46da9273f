import type { Clock } from '@behalf/directives';
import { InMemoryReplay } from '@behalf/directives/internal';
import { decodeJwt, importJWK, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import { equalSecrets } from '@behalf/http';
import { ALLOWED_ALGORITHMS } from '../authenticate/issuers.js';
import { CLOCK_TOLERANCE_SECONDS, refuseLongLived } from '../authenticate/lifetime.js';
import { ConfigurationError } from '../errors.js';
import type { NamedVocabulary } from './audience.js';

/** A subgraph or service that may pass a transaction on. */
export interface WorkloadOptions {
  /** Its name as an audience: it can only pass on what was minted for it. */
  readonly name: string;
  /** RFC 6749 section 2.3.1. Exclusive with `publicKey`. */
  readonly secret?: string;
  /** RFC 7523 section 2.2: the public key of its assertions, with `alg`. Exclusive with `secret`. */
  readonly publicKey?: JWK;
  /** The audiences that it may request. */
  readonly audiences: readonly string[];
  /** The content of its tokens beyond its own rules, because services behind it need it. */
  readonly carries?: NamedVocabulary;
}

/** RFC 7523 section 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_ASSERTION_LIFETIME_SECONDS = 60;

export interface ShownCredentials {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  readonly assertionType: string | undefined;
  readonly assertion: string | undefined;
}

/** Authenticates the workloads. */
export class Workloads {
  readonly #byName: ReadonlyMap<string, WorkloadOptions>;
  readonly #usedAssertions: InMemoryReplay;
  readonly #issuer: string;
  readonly #clock: Clock;

  /**
   * @param issuer the gateway: the audience of the workloads' assertions
   * @throws {ConfigurationError}
   */
  constructor(workloads: readonly WorkloadOptions[], issuer: string, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#usedAssertions = new InMemoryReplay(undefined, clock);
    const byName = new Map<string, WorkloadOptions>();
    workloads.forEach((workload, index) => {
      const path = `propagation.passOn.workloads[${index}]`;
      if (byName.has(workload.name)) throw new ConfigurationError(`${path}.name`, 'is listed twice');
      // Commas separate the names of workloads that passed a transaction on.
      if (workload.name.includes(',')) throw new ConfigurationError(`${path}.name`, 'must not have a comma');
      if ((workload.secret === undefined) === (workload.publicKey === undefined))
        throw new ConfigurationError(path, 'needs one of secret and publicKey');
      byName.set(workload.name, workload);
    });
    this.#byName = byName;
  }

  get(name: string): WorkloadOptions | undefined {
    return this.#byName.get(name);
  }

  /** The authenticated workload; undefined unless exactly one method is used and valid. */
  async authenticate({
    authorization,
    assertionType,
    assertion,
  }: ShownCredentials): Promise<WorkloadOptions | undefined> {
    const showsAssertion = assertionType !== undefined || assertion !== undefined;
    // RFC 6749 section 2.3: no more than one way in one request.
    if (showsAssertion && authorization.length > 0) return undefined;
    if (!showsAssertion) return this.#bySecret(authorization);
    if (assertionType !== ASSERTION_TYPE || assertion === undefined) return undefined;
    return this.#byAssertion(assertion);
  }

  #bySecret(authorization: readonly string[]): WorkloadOptions | undefined {
    const [value] = authorization;
    if (value === undefined || authorization.length > 1) return undefined;
    const shown = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(value)?.[1];
    if (shown === undefined) return undefined;
    const [name, secret] = Buffer.from(shown, 'base64').toString('utf8').split(':').map(formDecoded);
    if (name === undefined || secret === undefined) return undefined;
    const workload = this.#byName.get(name);
    const isRight = equalSecrets(secret, workload?.secret ?? '');
    return workload?.secret !== undefined && isRight ? workload : undefined;
  }

  async #byAssertion(assertion: string): Promise<WorkloadOptions | undefined> {
    try {
      // Only selects the key.
      const workload = this.#byName.get(decodeJwt(assertion).iss ?? '');
      if (workload?.publicKey === undefined) return undefined;
      const { payload } = await jwtVerify(assertion, await importJWK(workload.publicKey), {
        issuer: workload.name,
        subject: workload.name,
        audience: this.#issuer,
        algorithms: [...ALLOWED_ALGORITHMS],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['iat', 'exp', 'jti'],
      });
      const { iat = Number.NaN, exp = Number.NaN, jti } = payload;
      // RFC 7523 section 3: short-lived, and valid once.
      refuseLongLived({ iat, exp }, MAX_ASSERTION_LIFETIME_SECONDS, this.#clock);
      const id = JSON.stringify([workload.name, jti]);
      const use = this.#usedAssertions.use(id, exp + CLOCK_TOLERANCE_SECONDS + 1);
      return use === 'first' ? workload : undefined;
    } catch {
      return undefined;
    }
  }
}

/** RFC 6749 section 2.3.1: both are form-encoded before they are joined. Undefined if malformed. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
