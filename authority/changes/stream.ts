import type { Selectable } from 'kysely';

import type { Sealed } from '../keys/sealed.js';
import type { ChangeEventTable, StreamTable } from '../schema.js';

export type ChangeEvent = Selectable<ChangeEventTable>;
export type StreamStatus = Selectable<StreamTable>['status'];

/** A receiver's place in the change log. */
export interface Stream {
  readonly id: string;
  /** Whose it is. */
  readonly receiver: string;
  readonly description: string | null;
  /** A gateway permits nothing when it has heard nothing for longer. Null: the receiver is no gateway. */
  readonly maxStalenessMs: number | null;
  readonly events: readonly string[];
  readonly eventsRequested: readonly string[];
  readonly status: StreamStatus;
  readonly statusReason: string | null;
  /** It was stopped, or narrowed: a gateway that went on with it would never hear of what happened meanwhile. */
  readonly hasGap: boolean;
  /** Undefined when the receiver polls. */
  readonly pushEndpoint: string | undefined;
}

/** What the receiver says of its stream (SSF 1.0, section 8.1.1). */
export interface StreamWishes {
  readonly description: string | null;
  readonly maxStalenessMs: number | null;
  readonly eventsRequested: readonly string[];
  /** How long the receiver lets a token live, where it says so: older events matter to it as well. */
  readonly maxTokenLifetimeSeconds?: number | undefined;
  /** With the receiver's `authorization_header`, encrypted. */
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
