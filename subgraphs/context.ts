import type { ProtectedContext } from '@behalf/directives';

import type { BankDatabase } from './bank/index.js';

/** What the bank's resolvers find in their context value. */
export interface BankContext extends ProtectedContext {
  readonly db: BankDatabase;
}

/** Whose data it is; undefined for a caller without a delegation, who has no rows. */
export function subjectOf({ delegation }: ProtectedContext): string | undefined {
  return delegation?.subject;
}
