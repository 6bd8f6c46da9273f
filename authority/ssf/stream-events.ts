import type { Selectable, Transaction } from 'kysely';

import type { AuthorityEventName } from '../audit/event-names.js';
import { recordEvents } from '../audit/record-events.js';
import type { AuthoritySchema, StreamTable } from '../schema.js';
import type { StreamStatus, StreamWishes } from './stream.js';

/** What the audit log gets about a stream: neither its secret nor its endpoint. */
export interface StreamFacts {
  readonly streamId: string;
  readonly receiver: string;
  readonly delivery?: 'push' | 'poll';
  readonly status?: StreamStatus;
}

/** A stream after a change, and what the audit log gets about that. */
export interface StreamChange {
  readonly row: Selectable<StreamTable> | undefined;
  readonly facts: Omit<StreamFacts, 'streamId' | 'receiver'>;
  readonly reason?: string | undefined;
}

/** Records a change of a stream for the audit log, in its transaction. The receiver did it, unless the reason says otherwise. */
export async function recordStream(
  trx: Transaction<AuthoritySchema>,
  event: Extract<AuthorityEventName, `stream-${string}`>,
  details: StreamFacts,
  reason?: string,
): Promise<void> {
  await recordEvents(trx, [{ event, details: { ...details }, reason }]);
}

export function deliveryOf({ push }: StreamWishes): 'push' | 'poll' {
  return push === undefined ? 'poll' : 'push';
}
