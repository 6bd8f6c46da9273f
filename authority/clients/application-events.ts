import { isDeepStrictEqual } from 'node:util';

import type { Transaction } from 'kysely';

import { recordEvents } from '../audit/record-events.js';
import type { StoredRegistration } from '../client-registration.js';
import type { AuthoritySchema } from '../schema.js';

const AUDIT_EVENTS = {
  registered: 'client-registered',
  changed: 'client-changed',
  secret_renewed: 'client-secret-renewed',
  retired: 'client-retired',
} as const;

interface ApplicationEvent {
  readonly type: keyof typeof AUDIT_EVENTS;
  readonly clientId: string;
  readonly registration: StoredRegistration;
  readonly by: string;
  readonly reason?: string;
  /** Names of members. */
  readonly changed?: readonly string[];
}

/** Appends an event to the log of applications, and records it for the audit log. */
export async function appendApplicationEvent(
  trx: Transaction<AuthoritySchema>,
  { by, changed, clientId, reason, registration, type }: ApplicationEvent,
): Promise<void> {
  const event = { client_id: clientId, event_type: type, entity_id: by, reason: reason ?? null };
  await trx
    .insertInto('authority.application_event')
    .values({ ...event, registration: JSON.stringify(registration) })
    .execute();
  const details = { clientId, changed };
  await recordEvents(trx, [{ event: AUDIT_EVENTS[type], cause: { operator: by }, reason, details }]);
}

/** The names of the members that differ. */
export function changedMembers(before: StoredRegistration, after: StoredRegistration): readonly string[] {
  const names = Object.keys({ ...before, ...after }) as (keyof StoredRegistration)[];
  return names.filter((name) => !isDeepStrictEqual(before[name], after[name])).sort();
}
