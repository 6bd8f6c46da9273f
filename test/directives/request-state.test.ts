import type { Delegation } from '@behalf/directives';
import type { Minimization, Requirement } from '@behalf/directives/internal';
import { NO_REQUIREMENT } from '@behalf/directives/internal';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../directives/src/clock.js';
import { RequestState, requestStateOf } from '../../directives/src/enforce/request-state.js';
import type { Caller } from '../../directives/src/enforce/request-state.js';

const alma: Delegation = {
  subject: 'alma',
  clientId: 'app',
  scopes: new Set(['a']),
  policies: new Set(),
  roles: [],
};
const authenticated: Requirement = { ...NO_REQUIREMENT, authenticated: true };
const minimization: Minimization = {
  coordinate: 'Person.name',
  category: undefined,
  statements: [{ to: 'REDACT', unless: [['a']] }],
};
const compiled = {
  requirements: [NO_REQUIREMENT, authenticated],
  minimizations: [minimization],
  rowExemptions: [[], [['a']]],
  plans: new Map(),
  isEnforced: true,
  fields: [],
  pseudonyms: new Map(),
  clock: systemClock,
};
const END_MS = 1_000_000;
const REQUEST = { subgraph: 's', parent: ROOT_CONTEXT };
/** Rows are their owner's alone. */
const OWNED = { property: 'owner', exemptionIndex: 0 };
/** Rows are also read with scope `a`. */
const SHOWN = { property: 'owner', exemptionIndex: 1 };

function state(caller: Caller = { delegation: alma, endsAtMs: END_MS }): RequestState {
  return new RequestState(caller, ROOT_CONTEXT, compiled);
}

describe('a coordinate without a compiled rule', () => {
  it('is denied and not whole, whatever the delegation', () => {
    for (const index of [-1, 2, 99, 0.5, Number.NaN]) {
      expect(state().permits(index)).toBe(false);
      expect(() => state().statementOf(index)).toThrow('not compiled');
      expect(state().mayRead({ owner: 'noor' }, { property: 'owner', exemptionIndex: index })).toBe(false);
    }
    // An index within the table that has no entry.
    const gaps = {
      requirements: new Array<Requirement>(1),
      minimizations: new Array<Minimization>(1),
      rowExemptions: new Array<string[][]>(1),
      plans: new Map(),
      isEnforced: true,
      fields: [],
      pseudonyms: new Map(),
      clock: systemClock,
    };
    const gap = new RequestState({ delegation: alma }, ROOT_CONTEXT, gaps);
    expect(gap.permits(0)).toBe(false);
    expect(() => gap.statementOf(0)).toThrow('not compiled');
    expect(gap.mayRead({ owner: 'noor' }, OWNED)).toBe(false);
  });
});

describe('a decision', () => {
  it('is made once for each requirement, and holds', () => {
    const scopes = new Set(['a']);
    const has = vi.spyOn(scopes, 'has');
    const scoped: Requirement = { ...NO_REQUIREMENT, scopes: [[['a']]] };
    const kept = new RequestState({ delegation: { ...alma, scopes } }, ROOT_CONTEXT, {
      requirements: [scoped],
      minimizations: [minimization],
      rowExemptions: [],
      plans: new Map(),
      isEnforced: true,
      fields: [],
      pseudonyms: new Map(),
      clock: systemClock,
    });
    expect([kept.permits(0), kept.permits(0)]).toEqual([true, true]);
    expect(has).toHaveBeenCalledTimes(1);
    expect([kept.statementOf(0), kept.statementOf(0)]).toEqual([undefined, undefined]);
    expect(has).toHaveBeenCalledTimes(2);
  });
});

describe('a context value without a state', () => {
  it.each([undefined, null, 0, 'context', {}, []])('%j has none', (contextValue) => {
    expect(requestStateOf(contextValue)).toBeUndefined();
  });
});

describe('a row belongs', () => {
  it('to the subject in its property, and to nobody else', () => {
    expect(state().mayRead({ owner: 'alma' }, OWNED)).toBe(true);
    for (const row of [
      { owner: 'noor' },
      { owner: ['alma'] },
      { owner: new String('alma') },
      {},
      'alma',
      null,
      undefined,
    ])
      expect(state().mayRead(row, OWNED)).toBe(false);
    expect(state({}).mayRead({ owner: undefined }, OWNED)).toBe(false);
  });

  it('to no service, whatever its subject', () => {
    const service = state({ delegation: { ...alma, service: true } });
    expect(service.mayRead({ owner: 'alma' }, OWNED)).toBe(false);
  });
});

describe('a row of another subject', () => {
  it('is read by those who hold what the rule names', () => {
    const service = state({ delegation: { ...alma, service: true } });
    for (const reader of [state(), service]) expect(reader.mayRead({ owner: 'noor' }, SHOWN)).toBe(true);
    const others = [state({}), state({ delegation: { ...alma, scopes: new Set(['b']) } })];
    for (const reader of others) expect(reader.mayRead({ owner: 'noor' }, SHOWN)).toBe(false);
  });

  it.each([{ owner: '' }, { owner: 7 }, { owner: null }, {}, null, 'noor'])(
    'is read by nobody if %j does not say whose it is',
    (row) => {
      expect(state().mayRead(row, SHOWN)).toBe(false);
    },
  );

  it('is told to the gateway, once for each subject', () => {
    const reader = state();
    for (const owner of ['noor', 'alma', 'noor']) expect(reader.reads({ owner }, SHOWN)).toBe(true);
    expect(reader.reads({ owner: 'olu' }, OWNED)).toBe(false);
    expect(reader.recorder.take(REQUEST)).toMatchObject({ subjects: ['noor', 'alma'] });
    expect(reader.recorder.take(REQUEST)).toEqual({ v: 1, fields: [] });
  });

  it('is one of a hundred that are named, or one of more', () => {
    const reader = state();
    const read = (count: number): void => {
      for (let i = 0; i < count; i += 1) reader.reads({ owner: `s${i}` }, SHOWN);
    };
    read(100);
    expect(reader.recorder.take(REQUEST)).not.toHaveProperty('moreSubjects');
    read(101);
    const facts = reader.recorder.take(REQUEST);
    expect(facts.subjects).toHaveLength(100);
    expect(facts.moreSubjects).toBe(true);
    reader.reads({ owner: 'x'.repeat(1_025) }, SHOWN);
    expect(reader.recorder.take(REQUEST)).toEqual({ v: 1, fields: [], moreSubjects: true });
  });
});

describe('a delegation that has ended', () => {
  it('is over from the exact millisecond of its end', () => {
    expect(state().hasEnded(END_MS - 1)).toBe(false);
    expect(state().hasEnded(END_MS)).toBe(true);
    expect(state({}).hasEnded(END_MS)).toBe(false);
    expect(state({ delegation: alma }).hasEnded(Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('permits, owns and shows nothing from then on', () => {
    const ending = state();
    const all = (): boolean[] => [
      ending.permits(1),
      ending.statementOf(0) === undefined,
      ending.mayRead({ owner: 'alma' }, OWNED),
      ending.mayRead({ owner: 'noor' }, SHOWN),
    ];
    expect([ending.permits(0), ...all()]).toEqual([true, true, true, true, true]);
    ending.hasEnded(END_MS);
    expect([ending.permits(0), ...all()]).toEqual([true, false, false, false, false]);
    expect(ending.delegation).toBeUndefined();
    expect(ending.hasEnded(0)).toBe(true);
    expect(all()).toEqual([false, false, false, false]);
  });

  it('is over when it is revoked', () => {
    const revoked = new AbortController();
    const ending = state();
    ending.revoked = revoked.signal;
    expect(ending.hasEnded(0)).toBe(false);
    revoked.abort();
    expect(ending.hasEnded(0)).toBe(true);
    expect(ending.permits(1)).toBe(false);
  });

  it('permits only operations that began while its token was accepted', () => {
    const [first, second] = [{}, {}];
    const kept = state();
    kept.begin(first, END_MS + 4_999);
    kept.begin(first, END_MS + 3_600_000);
    expect(kept.permits(1)).toBe(true);
    kept.begin(second, END_MS + 5_000);
    expect(kept.permits(1)).toBe(false);
  });
});
