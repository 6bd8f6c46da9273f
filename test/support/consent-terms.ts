import type { ConsentRegister, ConsentTerms } from '../../authority/internal.js';

/** What a person agrees to: to one scope and one purpose of `budget-app`, for an hour, unless said otherwise. */
export function consentTerms(subject: string, more: Partial<ConsentTerms> = {}): ConsentTerms {
  const { clientId = 'budget-app' } = more;
  return {
    subject,
    clientId,
    scopes: ['accounts:read'],
    declined: [],
    purposes: ['budgeting'],
    detail: 'full',
    until: new Date(Date.now() + 3_600_000),
    by: subject,
    notice: { language: 'en', client: clientId, purposes: [], scopes: [], duration: '1 hour', detail: '' },
    ...more,
  };
}

/** Grants a consent that ends after so many milliseconds; later if the machine is too busy to grant it before. */
export async function grantBriefly(
  register: Pick<ConsentRegister, 'grant'>,
  subject: string,
  ms: number,
): Promise<{ readonly id: string; readonly until: Date }> {
  const until = new Date(Date.now() + ms);
  try {
    return { id: (await register.grant(consentTerms(subject, { until }))).id, until };
  } catch (error) {
    if (error instanceof RangeError) return grantBriefly(register, subject, 2 * ms);
    throw error;
  }
}
