import type { Selectable } from 'kysely';

import { withoutUndefined } from '@behalf/directives/internal';
import type { ClientRegistration, StoredRegistration } from '../client-registration.js';
import type { ApplicationTable } from '../schema.js';

/** A registered application. */
export interface Application {
  readonly clientId: string;
  readonly registration: StoredRegistration;
  /** Whether it authenticates, by a secret or a key; otherwise it is a public client. */
  readonly confidential: boolean;
  readonly registeredAt: Date;
  readonly changedAt: Date;
  readonly retiredAt: Date | undefined;
}

export function toApplication(row: Selectable<ApplicationTable>): Application {
  return {
    clientId: row.client_id,
    registration: row.registration,
    confidential: row.secret_digest !== null || hasKey(row.registration),
    registeredAt: row.registered_at,
    changedAt: row.changed_at,
    retiredAt: row.retired_at ?? undefined,
  };
}

export function toClient(
  clientId: string,
  registration: StoredRegistration,
  digest: string | null,
): ClientRegistration {
  return withoutUndefined({ ...registration, clientId, secretDigest: digest ?? undefined });
}

export function hasKey({ oauth }: StoredRegistration): boolean {
  return oauth?.authentication !== undefined;
}
