import type { ProtectedContext } from '@behalf/directives';

import type { BankDatabase } from '../data/index.js';

/** The context value of the bank's resolvers. */
export interface BankContext extends ProtectedContext {
  readonly db: BankDatabase;
}

/** The person whose data may be read; undefined for a caller without a delegation, who owns no rows. */
export function subjectOf({ delegation }: ProtectedContext): string | undefined {
  return delegation?.subject;
}
