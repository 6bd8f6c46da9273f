import { describe, expect, it } from 'vitest';

import { replay, ReplayError } from '../../../authority/consent/replay.js';
import type { ConsentEventRow } from '../../../authority/consent/replay.js';

const at = (hour: number): Date => new Date(Date.UTC(2026, 0, 1, hour));
const END = at(23);

function event(
  type: ConsentEventRow['event_type'],
  more: Partial<Omit<ConsentEventRow, 'levels'>> = {},
): ConsentEventRow {
  return {
    event_id: 7,
    record_id: 'consent',
    event_type: type,
    event_time: at(1),
    pii_principal_id: 'ada',
    client_id: 'app',
    entity_id: 'somebody',
    scopes: ['a'],
    declined: ['b'],
    purposes: ['p'],
    declined_purposes: ['q'],
    detail: 'full',
    levels: { location: ['city'] },
    valid_until: END,
    version: 1,
    privacy_notice: null,
    reason: null,
    schema_version: '1',
    policy_version: null,
    replaces: null,
    ...more,
  };
}

const GRANTED = {
  id: 'consent',
  version: 1,
  subject: 'ada',
  client_id: 'app',
  scopes: ['a'],
  declined: ['b'],
  purposes: ['p'],
  declined_purposes: ['q'],
  detail: 'full',
  levels: { location: ['city'] },
  status: 'active',
  granted_at: at(1),
  until: END,
  ended_at: null,
  ended_by: null,
  ended_reason: null,
};

describe('a replay of the consent log', () => {
  it('knows nothing before something was granted', () => {
    expect(replay([])).toBeUndefined();
    expect(replay([event('requested')])).toBeUndefined();
  });

  it('takes a consent from the event that granted it', () => {
    expect(replay([event('requested', { scopes: ['a', 'b'] }), event('granted')])).toEqual(GRANTED);
  });

  it('takes the terms from the last event that extended it, and its beginning from the first', () => {
    const changed = {
      version: 2,
      scopes: ['a', 'c'],
      declined: [],
      purposes: ['p', 'r'],
      declined_purposes: [],
      detail: 'minimal',
    } as const;
    const extended = event('extended', {
      ...changed,
      scopes: [...changed.scopes],
      purposes: [...changed.purposes],
      declined: [],
      declined_purposes: [],
      valid_until: at(30),
      event_time: at(2),
    });
    expect(replay([event('granted'), event('requested'), extended])).toEqual({
      ...GRANTED,
      ...changed,
      until: at(30),
    });
  });

  it.each([
    ['narrowed', 'replaced', at(2)],
    ['revoked', 'revoked', at(2)],
    // It ends when it was agreed to end, whenever that was recorded.
    ['expired', 'expired', END],
  ] as const)('ends it when it was %s', (type, status, endedAt) => {
    const ending = event(type, { event_time: at(2), entity_id: 'who', reason: 'why', scopes: ['x'] });
    expect(replay([event('granted'), ending])).toEqual({
      ...GRANTED,
      status,
      ended_at: endedAt,
      ended_by: 'who',
      ended_reason: 'why',
    });
  });
});

describe('a log that cannot be', () => {
  it.each<[string, readonly ConsentEventRow[]]>([
    ['event 7 says "granted" a second time', [event('granted'), event('granted')]],
    ['event 7 says "extended" before the consent was granted', [event('extended')]],
    ['event 7 says "revoked" before the consent was granted', [event('requested'), event('revoked')]],
    ['event 7 says "granted" after the end', [event('granted'), event('revoked'), event('granted')]],
    ['event 7 says "requested" after the end', [event('granted'), event('expired'), event('requested')]],
    [
      'event 7 says "extended" for another person or application',
      [event('granted'), event('extended', { pii_principal_id: 'eve' })],
    ],
    [
      'event 7 says "revoked" for another person or application',
      [event('granted'), event('revoked', { client_id: 'other' })],
    ],
  ])('%s', (message, events) => {
    expect(() => replay(events)).toThrow(new ReplayError(message));
  });

  it('is an error of its own kind', () => {
    expect(() => replay([event('expired')])).toThrow(expect.objectContaining({ name: 'ReplayError' }));
  });
});
