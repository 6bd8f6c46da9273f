import { randomUUID } from 'node:crypto';

import type { AdapterPayload } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AuthoritySchema } from '../../authority/internal.js';
import { adapterFactory } from '../../authority/oidc/adapter.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';

/** Two requests whose reads and writes interleave. oidc-provider reads first, so over HTTP this would take luck. */
let database: TestDatabase<AuthoritySchema>;
const reused: string[] = [];
const ended: string[] = [];
beforeAll(async () => {
  database = await createAuthorityDatabase();
});
afterAll(() => database.drop());

function adapter(model: string) {
  const endings = {
    refreshTokenReused: async (consentId: string) => void reused.push(consentId),
    tokensEnded: async (consentId: string) => void ended.push(consentId),
  };
  const factory = adapterFactory(database.db, endings, async () => undefined);
  return factory(model);
}

const payload = (jti: string, grantId?: string): AdapterPayload => ({
  jti,
  ...(grantId === undefined ? {} : { grantId }),
});

describe('RFC 7523 section 3 (7), RFC 9449 section 11.1: a used identifier', () => {
  it('is written once, even by concurrent writers', async () => {
    const seen = adapter('ReplayDetection');
    await seen.upsert('jti', payload('jti'), 60);
    await expect(seen.upsert('jti', payload('jti'), 60)).rejects.toMatchObject({ error: 'invalid_request' });
    const both = await Promise.allSettled([1, 2, 3, 4].map(() => seen.upsert('other', payload('other'), 60)));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('can be used again after it expired', async () => {
    const seen = adapter('ReplayDetection');
    await seen.upsert('short', payload('short'), -1);
    await seen.upsert('short', payload('short'), 60);
    await expect(seen.upsert('short', payload('short'), 60)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });
});

describe('RFC 9700 section 4.14.2: a consumed refresh token', () => {
  it('ends its consent if it was consumed between read and write', async () => {
    const tokens = adapter('RefreshToken');
    const id = randomUUID();
    await tokens.upsert(id, payload(id, 'the-consent'), 60);
    await tokens.consume(id);
    expect(reused).toEqual([]);
    await expect(tokens.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(reused).toEqual(['the-consent']);
  });

  it('ends nothing more once its consent has ended', async () => {
    reused.length = 0;
    await expect(adapter('RefreshToken').consume(randomUUID())).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(reused).toEqual([]);
  });

  it('concurrent redemptions of a code refuse one, and end no consent', async () => {
    reused.length = 0;
    const codes = adapter('AuthorizationCode');
    const id = randomUUID();
    await codes.upsert(id, payload(id, 'the-consent'), 60);
    const both = await Promise.allSettled([codes.consume(id), codes.consume(id)]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(reused).toEqual([]);
  });
});

it('all tokens of a grant end in one transaction', async () => {
  for (const model of ['AccessToken', 'RefreshToken', 'AuthorizationCode']) {
    await adapter(model).revokeByGrantId('the-consent');
  }
  expect(ended).toEqual(['the-consent']);
});
