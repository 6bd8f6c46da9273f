import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchemaObject } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { auditEvents, toOcsf } from '../../audit/index.js';
import type { AuditEntry, AuditEventName, AuditOutcome, LoggedEntry } from '../../audit/index.js';
import { projectPath } from '@behalf/example/internal';
import { record } from './support.js';

const file = projectPath('test/audit/schemas/ocsf-1.9.0-api-activity.schema.json');
const schema = JSON.parse(await readFile(file, 'utf8')) as AnySchemaObject;
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);

const CALLER = {
  subjectPseudonym: 'pseudonym-of-alma',
  clientId: 'budget-app',
  consentId: 'consent-1',
  consentVersion: 2,
  purposes: ['budgeting'],
};
const FIELD = { coordinate: 'Customer.name', decision: 'allowed', count: 2, subgraph: 'customers' } as const;
const LOGGED = { recordedAt: new Date(2_000), occurredAt: new Date(1_000), seq: 7, logIndex: 6 };

const event = (name: AuditEventName, more: Partial<AuditEntry> = {}): AuditEntry => ({
  transactionId: crypto.randomUUID(),
  time: 1,
  event: name,
  caller: {},
  ...more,
});

const OUTCOMES: readonly AuditOutcome[] = [
  'answered',
  'intended',
  'explained',
  'authentication-failed',
  'passed-on',
  'refused',
  'failed',
];

const ENTRIES: readonly AuditEntry[] = [
  ...OUTCOMES.map((outcome) => record({ outcome })),
  ...OUTCOMES.map((outcome) => record({ outcome, caller: CALLER, fields: [FIELD], source: '192.0.2.0/24' })),
  record({ caller: { ...CALLER, actor: 'agent-1' }, traceId: 'a'.repeat(32), traceLink: 'b'.repeat(32) }),
  record({ caller: { service: true, clientId: 'job' } }),
  record({ outcome: 'refused', reason: 'RATE_LIMITED', caller: { clientId: 'budget-app' } }),
  record({ operationName: 'Overview', operationHash: 'c'.repeat(64), subjects: ['x'], moreSubjects: true }),
  record({ outcome: 'intended', mutates: ['Mutation.pay'], unaccounted: ['payments'] }),
  record({ outcome: 'passed-on', passedOn: { by: 'accounts', to: 'ledger' } }),
  ...(Object.keys(auditEvents) as AuditEventName[]).map((name) => event(name)),
  event('records-erased', { operator: 'dana', reason: 'retention', details: { class: 'access', before: 1 } }),
  event('subject-looked-up', { caller: CALLER, subjects: ['y'] }),
];

/** A part of an event, by its path. */
function at(logged: LoggedEntry, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], toOcsf(logged));
}

describe('a record as OCSF API Activity', () => {
  it.each(ENTRIES.map((each) => ['event' in each ? each.event : each.outcome, each] as const))(
    'follows OCSF’s schema: %s',
    (_name, each) => {
      for (const logged of [{ record: each }, { record: each, ...LOGGED }]) {
        // As it is written: a member that is undefined is not there.
        const written: unknown = JSON.parse(JSON.stringify(toOcsf(logged)));
        expect([validate(written), validate.errors]).toEqual([true, null]);
        expect(written).toEqual(toOcsf(logged));
      }
    },
  );

  it('has a type that is the class and the activity', () => {
    for (const each of ENTRIES) {
      expect(at({ record: each }, 'type_uid')).toBe(600_300 + Number(at({ record: each }, 'activity_id')));
    }
  });

  it('says when it happened, and when it was stored', () => {
    const logged = { record: record(), ...LOGGED };
    expect([at(logged, 'time'), at(logged, 'metadata.logged_time')]).toEqual([1_000, 2_000]);
    expect(at({ record: record({ time: 5 }) }, 'time')).toBe(5);
  });

  it('names the consent as the delegation, and an actor’s as one below it', () => {
    expect(at({ record: record({ caller: CALLER }) }, 'delegation')).toEqual({ uid: 'consent-1' });
    const acted = { record: record({ caller: { ...CALLER, actor: 'agent-1' } }) };
    expect(at(acted, 'delegation')).toEqual({ uid: 'consent-1/agent-1', parent_uid: 'consent-1' });
    expect(at({ record: record({ caller: { clientId: 'job', service: true } }) }, 'delegation')).toBe(
      undefined,
    );
  });

  it.each([
    [
      'a person by their pseudonym',
      { caller: CALLER },
      { uid: 'pseudonym-of-alma', type_id: 1 },
      'budget-app',
    ],
    [
      'a service by its client',
      { caller: { clientId: 'job', service: true } },
      { uid: 'job', type_id: 4 },
      'job',
    ],
  ] as const)('names %s', (_who, more, user, app) => {
    const logged = { record: record(more) };
    expect([at(logged, 'actor.user'), at(logged, 'actor.app_uid')]).toEqual([user, app]);
  });

  it('names nobody for an anonymous request, and the operator of an event', () => {
    expect(at({ record: record() }, 'actor')).toEqual({ app_name: 'anonymous' });
    const erased = event('subject-erased', { operator: 'dana' });
    expect(at({ record: erased }, 'actor')).toEqual({ user: { name: 'dana', type_id: 2 } });
  });

  it.each([
    ['answered', { fields: [FIELD] }, 'Read', 'Success'],
    ['answered', { fields: [{ ...FIELD, coordinate: 'Mutation.pay' }] }, 'Mutation', 'Success'],
    ['intended', { mutates: ['Mutation.pay'] }, 'Mutation', 'Intended'],
    ['refused', { fields: [FIELD] }, 'Read', 'Failure'],
    ['authentication-failed', {}, 'Unknown', 'Failure'],
    ['passed-on', {}, 'passed-on', 'Success'],
  ] as const)('calls %s %j a %s with status %s', (outcome, more, activity, status) => {
    const logged = { record: record({ outcome, ...more }) };
    expect([at(logged, 'activity_name'), at(logged, 'status')]).toEqual([activity, status]);
  });

  it.each([
    ['consent-granted', 'Informational', 'Success'],
    ['sign-in-failed', 'Low', 'Failure'],
    ['records-lost', 'High', 'Success'],
  ] as const)('rates the event %s %s', (name, severity, status) => {
    const logged = { record: event(name, { details: { source: '192.0.2.0/24' } }) };
    expect([at(logged, 'severity'), at(logged, 'status')]).toEqual([severity, status]);
    expect(at(logged, 'src_endpoint')).toEqual({ name: '192.0.2.0/24' });
  });

  it('keeps the coordinates in the record’s own words', () => {
    const logged = { record: record({ fields: [FIELD], subjects: ['x'] }) };
    expect(at(logged, 'unmapped')).toEqual({ fields: [FIELD], subjects: ['x'] });
  });
});
