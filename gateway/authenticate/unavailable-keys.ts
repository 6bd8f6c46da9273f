import type { Clock } from '@behalf/directives';
import type { GatewayLog } from '../log.js';
import { RepeatedLines } from '../repeated-lines.js';
import type { IssuerOptions } from './issuers.js';

/** Logs whose keys are unavailable: each issuer and reason once a minute, however many callers it concerns. */
export class UnavailableKeys {
  readonly #log: GatewayLog;
  readonly #lines: RepeatedLines;
  readonly #issuers: readonly IssuerOptions[];

  constructor(issuers: readonly IssuerOptions[], log: GatewayLog, clock: Clock) {
    this.#lines = new RepeatedLines(clock);
    this.#issuers = issuers;
    this.#log = log;
  }

  report({ issuer }: IssuerOptions, reason: string): void {
    const count = this.#lines.due(`${issuer} ${reason}`);
    if (count === undefined) return;
    const index = this.#issuers.findIndex((each) => each.issuer === issuer);
    const see = { option: `issuers[${index}].jwksUri` };
    this.#log.log('error', 'ISSUER_KEYS_UNAVAILABLE', { issuer, reason, count, ...see });
  }
}
