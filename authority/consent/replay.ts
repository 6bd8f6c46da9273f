import type { Selectable } from 'kysely';

import type { ConsentEventTable } from '../schema.js';
import type { ConsentRow } from './rows.js';

export type ConsentEventRow = Selectable<ConsentEventTable>;

/** A consent's row without `tokens_not_before`, which concerns sign-ins and is not in the log. */
export type ReplayedConsent = Omit<ConsentRow, 'tokens_not_before'>;

/** The log contains an impossible sequence, so something else has written to it. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

/**
 * Computes the state of one consent from its events alone, in order. The stored projection must equal it.
 *
 * @returns undefined if nothing was granted
 * @throws ReplayError for an impossible sequence
 */
export function replay(events: readonly ConsentEventRow[]): ReplayedConsent | undefined {
  let state: ReplayedConsent | undefined;
  for (const event of events) state = apply(state, event);
  return state;
}

function apply(state: ReplayedConsent | undefined, event: ConsentEventRow): ReplayedConsent | undefined {
  if (state !== undefined && state.status !== 'active') throw impossible(event, 'after the end');
  switch (event.event_type) {
    case 'requested':
      return state;
    case 'granted':
      if (state !== undefined) throw impossible(event, 'a second time');
      return { ...termsOf(event), ...headOf(event), granted_at: event.event_time };
    case 'extended':
      return { ...begun(state, event), ...termsOf(event) };
    case 'narrowed':
      return { ...begun(state, event), status: 'replaced', ...endOf(event, event.event_time) };
    case 'revoked':
      return { ...begun(state, event), status: 'revoked', ...endOf(event, event.event_time) };
    case 'expired':
      return { ...begun(state, event), status: 'expired', ...endOf(event, event.valid_until) };
  }
}

function begun(state: ReplayedConsent | undefined, event: ConsentEventRow): ReplayedConsent {
  if (state === undefined) throw impossible(event, 'before the consent was granted');
  if (state.subject !== event.pii_principal_id || state.client_id !== event.client_id) {
    throw impossible(event, 'for another person or application');
  }
  return state;
}

function headOf(event: ConsentEventRow) {
  return {
    id: event.record_id,
    subject: event.pii_principal_id,
    client_id: event.client_id,
    status: 'active',
    ended_at: null,
    ended_by: null,
    ended_reason: null,
  } as const;
}

function termsOf(event: ConsentEventRow) {
  return {
    version: event.version,
    scopes: event.scopes,
    declined: event.declined,
    purposes: event.purposes,
    declined_purposes: event.declined_purposes,
    detail: event.detail,
    levels: event.levels,
    until: event.valid_until,
  };
}

function endOf(event: ConsentEventRow, at: Date) {
  return { ended_at: at, ended_by: event.entity_id, ended_reason: event.reason };
}

function impossible({ event_id: id, event_type: type }: ConsentEventRow, why: string): ReplayError {
  return new ReplayError(`event ${id} says "${type}" ${why}`);
}
