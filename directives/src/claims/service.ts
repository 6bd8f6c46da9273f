/**
 * Begins the subject of every service, and of no person: RFC 9068 section 5 warns of a client whose identifier is some
 * person's `sub`. The gateway refuses a person's token whose subject begins like this, and a subgraph a transaction token
 * that has one without the other.
 */
export const SERVICE_SUBJECT_PREFIX = 'urn:behalf:service:';

/** The subject of a service that acts for itself. */
export function serviceSubject(clientId: string): string {
  return `${SERVICE_SUBJECT_PREFIX}${clientId}`;
}

export function isServiceSubject(subject: string): boolean {
  return subject.startsWith(SERVICE_SUBJECT_PREFIX);
}
