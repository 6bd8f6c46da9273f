/**
 * Prefix of every service's subject, and of no person's: RFC 9068 section 5 warns about a client whose identifier is a person's
 * `sub`. The gateway refuses a person's token with such a subject, and a subgraph refuses a transaction token that has only one
 * of prefix and `service` claim.
 */
export const SERVICE_SUBJECT_PREFIX = 'urn:behalf:service:';

/** The subject of a service that acts for itself. */
export function serviceSubject(clientId: string): string {
  return `${SERVICE_SUBJECT_PREFIX}${clientId}`;
}

export function isServiceSubject(subject: string): boolean {
  return subject.startsWith(SERVICE_SUBJECT_PREFIX);
}
