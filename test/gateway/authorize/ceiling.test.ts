import type { Delegation } from '@behalf/directives';
import { describe, expect, it } from 'vitest';
import type { AuthenticatedToken } from '../../../gateway/authenticate/token.js';
import { PolicyCeiling } from '../../../gateway/authorize/ceiling.js';
import { checkPolicy } from '../../../policy/index.js';
import { TestLog } from '../support.js';

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const POLICY = {
  scopes: {
    name: entry,
    email: {
      ...entry,
      deprecated: { since: '2026-03-01', until: '2026-03-31', replacedBy: ['name', 'tax'] },
    },
    phone: { ...entry, deprecated: { since: '2026-03-01' } },
    tax: { ...entry, sensitivity: 'personal' },
    pay: { ...entry, access: 'write', sensitivity: 'sensitive' },
    close: { ...entry, access: 'write', sensitivity: 'low' },
  },
  purposes: { credit: { sentence: 'To lend' }, ads: { sentence: 'To sell' } },
  stepUp: {
    personal: { acrValues: ['two'] },
    sensitive: { maxAge: 'PT15M' },
    low: { access: 'write', maxAge: 'PT5M' },
  },
  clients: {
    app: { scopes: ['name', 'email', 'phone', 'tax', 'pay', 'close'], purposes: ['ads'] },
    other: { scopes: ['email'] },
  },
};
const NOON = '2026-02-10T12:00:00.000Z';
const NOON_SECONDS = Date.parse(NOON) / 1000;

interface Asking {
  readonly scopes: readonly string[];
  readonly clientId?: string;
  readonly consent?: Delegation['consent'];
  readonly acr?: string;
  readonly authTime?: number;
}

function tokenOf({ scopes, clientId = 'app', consent, ...signIn }: Asking): AuthenticatedToken {
  return {
    delegation: {
      subject: 's',
      clientId,
      scopes: new Set(scopes),
      policies: new Set<string>(),
      roles: ['owner'],
      ...(consent !== undefined && { consent }),
    },
    issuer: 'https://login.example',
    tokenId: 'jti',
    confirmation: undefined,
    issuedAt: 0,
    expiresAt: 10_000_000_000,
    ...signIn,
  };
}

class Subject {
  now = Date.parse(NOON);
  readonly log = new TestLog();
  readonly ceiling = new PolicyCeiling(checkPolicy(POLICY), this.log, { now: () => this.now });

  at(time: string | number, token: AuthenticatedToken): AuthenticatedToken {
    this.now = typeof time === 'number' ? time * 1000 : Date.parse(time);
    return this.ceiling.apply(token);
  }

  scopesAt(time: string | number, token: AuthenticatedToken): readonly string[] {
    return [...this.at(time, token).delegation.scopes];
  }
}

describe('a token', () => {
  it('keeps what the policy permits to its client', () => {
    const token = tokenOf({ scopes: ['name', 'tax', 'unknown'], acr: 'two' });
    const { delegation, withheld, ...rest } = new Subject().at(NOON, token);
    const { delegation: given, ...asGiven } = token;
    expect(delegation).toEqual({ ...given, scopes: new Set(['name', 'tax']) });
    expect(delegation).not.toHaveProperty('consent');
    expect(withheld).toEqual(new Map());
    expect(rest).toEqual(asGiven);
  });

  it('keeps the purposes that the policy permits to its client', () => {
    const consent = { id: 'i', version: 1, purposes: ['credit', 'ads'], detail: 'full' } as const;
    const { delegation } = new Subject().at(NOON, tokenOf({ scopes: ['name'], consent }));
    expect(delegation.consent).toEqual({ ...consent, purposes: ['ads'] });
  });

  it('is cut once a day', () => {
    const subject = new Subject();
    const token = tokenOf({ scopes: ['name'] });
    const cut = subject.at('2026-02-10T00:00:00.000Z', token);
    expect(subject.at('2026-02-10T23:59:59.999Z', token)).toBe(cut);
    const next = subject.at('2026-02-11T00:00:00.000Z', token);
    expect(next).not.toBe(cut);
    expect(next).toEqual(cut);
  });

  it('is not cut as another', () => {
    const subject = new Subject();
    expect(subject.scopesAt(NOON, tokenOf({ scopes: ['name'] }))).toEqual(['name']);
    expect(subject.scopesAt(NOON, tokenOf({ scopes: ['phone'] }))).toEqual(['phone']);
  });
});

// RFC 9470.
describe('a scope that needs a stronger sign-in', () => {
  it('is withheld, and the others are not', () => {
    const { delegation, withheld } = new Subject().at(NOON, tokenOf({ scopes: ['tax', 'name'], acr: 'one' }));
    expect([...delegation.scopes]).toEqual(['name']);
    expect(withheld).toEqual(new Map([['tax', { acrValues: ['two'] }]]));
  });

  it('counts for the whole day if the sign-in has no age', () => {
    const subject = new Subject();
    const token = tokenOf({ scopes: ['tax'], acr: 'two', authTime: NOON_SECONDS });
    const cut = subject.at(NOON_SECONDS, token);
    expect([...cut.delegation.scopes]).toEqual(['tax']);
    expect(subject.at(NOON_SECONDS + 10_000, token)).toBe(cut);
  });

  it('is withheld without the time of the sign-in', () => {
    const { delegation, withheld } = new Subject().at(NOON, tokenOf({ scopes: ['pay'] }));
    expect([...delegation.scopes]).toEqual([]);
    expect(withheld).toEqual(new Map([['pay', { maxAgeSeconds: 900 }]]));
  });

  it('counts until the sign-in is too old', () => {
    const subject = new Subject();
    const token = tokenOf({ scopes: ['pay', 'name'], authTime: NOON_SECONDS });
    const cut = subject.at(NOON_SECONDS + 1, token);
    expect(subject.at(NOON_SECONDS + 900, token)).toBe(cut);
    const late = subject.at(NOON_SECONDS + 900.001, token);
    expect([...late.delegation.scopes]).toEqual(['name']);
    expect(subject.at(NOON_SECONDS + 5_000, token)).toBe(late);
  });

  it.each([[['pay', 'close']], [['close', 'pay']]])(
    'counts as long as it may, and not as long as another: %j',
    (scopes) => {
      const subject = new Subject();
      const token = tokenOf({ scopes, authTime: NOON_SECONDS });
      expect(subject.scopesAt(NOON_SECONDS + 300, token)).toEqual(scopes);
      expect(subject.scopesAt(NOON_SECONDS + 301, token)).toEqual(['pay']);
      expect(subject.scopesAt(NOON_SECONDS + 900, token)).toEqual(['pay']);
      expect(subject.scopesAt(NOON_SECONDS + 901, token)).toEqual([]);
    },
  );
});

describe('a deprecated scope', () => {
  const toldOn = (days: readonly string[], ...tokens: readonly AuthenticatedToken[]) => {
    const subject = new Subject();
    for (const day of days) for (const token of tokens) subject.at(`${day}T12:00:00.000Z`, token);
    return subject.log;
  };
  const email = tokenOf({ scopes: ['email'] });
  const told = { client: 'app', scope: 'email', until: '2026-03-31', replacedBy: 'name tax' };

  it('is logged from its day on', () => {
    expect(toldOn(['2026-02-28'], email).entries).toEqual([]);
    expect(toldOn(['2026-03-01'], email).entries).toEqual([
      { level: 'warn', code: 'DEPRECATED_SCOPE', facts: { ...told, honoured: true } },
    ]);
  });

  it('is logged once while it counts, and once more after that', () => {
    const days = ['2026-03-01', '2026-03-02', '2026-03-31', '2026-04-01', '2026-04-02'];
    expect(toldOn(days, email).of('DEPRECATED_SCOPE')).toEqual([
      { ...told, honoured: true },
      { ...told, honoured: false },
    ]);
  });

  it('is logged for each client and each scope', () => {
    const log = toldOn(
      ['2026-03-01'],
      tokenOf({ scopes: ['name', 'email', 'phone'] }),
      tokenOf({ scopes: ['email'], clientId: 'other' }),
    );
    expect(log.of('DEPRECATED_SCOPE').map(({ client, scope }) => `${client} ${scope}`)).toEqual([
      'app email',
      'app phone',
      'other email',
    ]);
  });

  it('is logged without what the policy does not say', () => {
    expect(toldOn(['2026-03-01'], tokenOf({ scopes: ['phone'] })).of('DEPRECATED_SCOPE')).toEqual([
      { client: 'app', scope: 'phone', honoured: true },
    ]);
  });

  it('is not logged if the policy does not know it', () => {
    expect(toldOn(['2026-03-01'], tokenOf({ scopes: ['unknown'] })).entries).toEqual([]);
  });

  it('counts through its last day, in UTC', () => {
    const subject = new Subject();
    expect(subject.scopesAt('2026-03-31T23:59:59.999Z', email)).toEqual(['email']);
    expect(subject.scopesAt('2026-04-01T00:00:00.000Z', email)).toEqual([]);
  });
});
