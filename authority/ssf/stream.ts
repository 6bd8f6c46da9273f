import type { Selectable } from 'kysely';

import type { Sealed } from '../keys/sealed.js';
import type { ChangeEventTable, StreamTable } from '../schema.js';

export type ChangeEvent = Selectable<ChangeEventTable>;
export type StreamStatus = Selectable<StreamTable>['status'];

/** A receiver's place in the change log. */
export interface Stream {
  readonly id: string;
  /** The receiver that owns it. */
  readonly receiver: string;
  readonly description: string | null;
  /** A gateway denies everything after this time without contact. Null: the receiver is not a gateway. */
  readonly maxStalenessMs: number | null;
  readonly events: readonly string[];
  readonly eventsRequested: readonly string[];
  readonly status: StreamStatus;
  readonly statusReason: string | null;
  /** It was stopped or narrowed at some time, so a gateway that continued with it would miss events. */
  readonly hasGap: boolean;
  /** Undefined if the receiver polls. */
  readonly pushEndpoint: string | undefined;
}

/** The members that the receiver sets (SSF 1.0, section 8.1.1). */
export interface StreamWishes {
  readonly description: string | null;
  readonly maxStalenessMs: number | null;
  readonly eventsRequested: readonly string[];
  /** The longest token lifetime that the receiver accepts, if it says so: older events then matter to it too. */
  readonly maxTokenLifetimeSeconds?: number | undefined;
  /** Contains the receiver's `authorization_header`, encrypted. */
  readonly push: { readonly endpoint: string; readonly authorization: Sealed | undefined } | undefined;
}

export function toStream(row: Selectable<StreamTable>): Stream {
  return {
    id: row.id,
    receiver: row.receiver,
    description: row.description,
    maxStalenessMs: row.max_staleness_ms,
    events: row.events,
    eventsRequested: row.events_requested,
    status: row.status,
    statusReason: row.status_reason,
    hasGap: row.has_gap,
    pushEndpoint: row.push_endpoint ?? undefined,
  };
}
