import type { ConsentTerms } from '../../authority/internal.js';

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
