import type { Clock } from '@behalf/directives';
import type { GatewayLog } from '../log.js';
import { RepeatedLines } from '../repeated-lines.js';
import type { IssuerOptions, VerifiedBy } from './issuers.js';

/** The line of the log, and the configuration key to look at. */
const LINES = {
  keys: { code: 'ISSUER_KEYS_UNAVAILABLE', option: 'jwksUri' },
  introspection: { code: 'TOKEN_INTROSPECTION_UNAVAILABLE', option: 'introspection.endpoint' },
} as const satisfies Record<VerifiedBy, unknown>;

/** Logs whose keys or introspections are unavailable: each issuer and reason once a minute, however many callers it concerns. */
export class UnavailableKeys {
  readonly #log: GatewayLog;
  readonly #lines: RepeatedLines;
  readonly #issuers: readonly IssuerOptions[];

  constructor(issuers: readonly IssuerOptions[], log: GatewayLog, clock: Clock) {
    this.#lines = new RepeatedLines(clock);
    this.#issuers = issuers;
    this.#log = log;
  }

  report({ issuer }: IssuerOptions, what: VerifiedBy, reason: string): void {
    const count = this.#lines.due(`${what} ${issuer} ${reason}`);
    if (count === undefined) return;
    const index = this.#issuers.findIndex((each) => each.issuer === issuer);
    const { code, option } = LINES[what];
    this.#log.log('error', code, { issuer, reason, count, option: `issuers[${index}].${option}` });
  }
}
