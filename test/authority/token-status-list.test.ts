import { inflateSync } from 'node:zlib';

import fc from 'fast-check';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { encodeStatusList } from '../../authority/status/list.js';
import {
  LIST_LIFE_SECONDS,
  LIST_SIZE,
  removeExpiredStatuses,
  type StatusClaim,
} from '../../authority/status/register.js';
import { revokeStatuses } from '../../authority/changes/revoke-statuses.js';
import { until } from '../gateway/support.js';
import { signInAndConsent } from '../support/person.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';
import { BY_ADMIN } from './ssf-setup.js';
import { nextSecond } from '../support/wait.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const NOOR = { user: 'noor', password: 'noor-demo' };

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

/** As a validator reads it (draft-ietf-oauth-status-list-21, section 8.3). */
function bitAt(lst: string, index: number): number {
  const bytes = inflateSync(Buffer.from(lst, 'base64url'));
  return ((bytes[index >>> 3] ?? 0) >>> (index & 7)) & 1;
}

describe('draft-ietf-oauth-status-list-21: the encoding', () => {
  it('is the one of section 4.1', () => {
    const statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    const invalid = statuses.flatMap((status, index) => (status === 1 ? [index] : []));
    expect(encodeStatusList(16, invalid)).toEqual({ bits: 1, lst: 'eNrbuRgAAhcBXQ' });
  });

  it('reproduces the test vector of appendix C.1', () => {
    const vector =
      'eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb';
    const invalid = [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345];
    const { lst } = encodeStatusList(2 ** 20, invalid);
    expect(inflateSync(Buffer.from(lst, 'base64url'))).toEqual(inflateSync(Buffer.from(vector, 'base64url')));
    expect(lst.length).toBeLessThanOrEqual(vector.length);
  });

  it('has exactly the bits that were set', () => {
    const size = 512;
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(size - 1)), (invalid) => {
        const { lst } = encodeStatusList(size, invalid);
        const read = Array.from({ length: size }, (_, index) => index).filter(
          (index) => bitAt(lst, index) === 1,
        );
        expect(read).toEqual(invalid.sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    [7, []],
    [0, []],
    [16, [16]],
    [16, [-1]],
    [16, [0.5]],
  ])('refuses a list of %i with %j', (size, invalid) => {
    expect(() => encodeStatusList(size, invalid)).toThrow(RangeError);
  });
});

interface Connected {
  readonly client: oidc.Configuration;
  readonly refresh: string;
  readonly claims: Claims;
}

interface Claims {
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly status: StatusClaim;
  readonly consent: { readonly id: string };
}

async function connect(who: typeof ALMA): Promise<Connected> {
  const client = await discover(authority);
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...who });
  const tokens = await exchange(client, callbackUrl, request);
  return { client, refresh: tokens.refresh_token ?? '', claims: decodeJwt<Claims>(tokens.access_token) };
}

async function refresh({ client, refresh: token }: Connected): Promise<Claims> {
  return decodeJwt<Claims>((await oidc.refreshTokenGrant(client, token)).access_token);
}

async function fetchList(uri: string) {
  const response = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } });
  expect(response.status).toBe(200);
  return { response, token: await response.text() };
}

/** What an offline validator concludes. */
async function statusOf({ status }: Claims): Promise<number> {
  const { token } = await fetchList(status.status_list.uri);
  const { status_list: list } = decodeJwt<{ status_list: { lst: string } }>(token);
  return bitAt(list.lst, status.status_list.idx);
}

describe('a status list token', () => {
  it('is found through a token’s claim, signed and cacheable (section 5.1)', async () => {
    const { claims } = await connect(ALMA);
    const { idx, uri } = claims.status.status_list;
    expect(idx).toBeGreaterThanOrEqual(0);
    expect(idx).toBeLessThan(LIST_SIZE);
    const { response, token } = await fetchList(uri);
    expect(response.headers.get('content-type')).toBe('application/statuslist+jwt');
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
    const keys = createRemoteJWKSet(new URL(`${authority.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: authority.issuer,
      subject: uri,
    });
    expect(protectedHeader.typ).toBe('statuslist+jwt');
    expect(payload).toMatchObject({
      ttl: 60,
      exp: (payload.iat ?? 0) + LIST_LIFE_SECONDS,
      status_list: { bits: 1 },
    });
    expect(await statusOf(claims)).toBe(0);
  });

  it('does not exist for another number or method', async () => {
    for (const number of ['1', '9999', '-1', 'x', '00000'])
      expect((await fetch(`${authority.issuer}/token-status/${number}`)).status).toBe(404);
    expect((await fetch(`${authority.issuer}/token-status/0`, { method: 'POST' })).status).toBe(405);
  });

  it('does not link two tokens of one consent (section 12.5)', async () => {
    const connected = await connect(ALMA);
    const next = await refresh(connected);
    expect(next.consent.id).toBe(connected.claims.consent.id);
    expect(next.status.status_list.idx).not.toBe(connected.claims.status.status_list.idx);
  });

  it('shows the revocation of a consent for exactly its living tokens', async () => {
    const alma = await connect(ALMA);
    const noor = await connect(NOOR);
    const second = await refresh(alma);
    await authority.consents.revokeConsent(alma.claims.consent.id, BY_ADMIN);
    await until(async () => (await statusOf(alma.claims)) === 1, 'the bit is set');
    expect(await statusOf(second)).toBe(1);
    expect(await statusOf(noor.claims)).toBe(0);
  });

  it('shows the end of a person’s sessions, but not for later tokens', async () => {
    const before = await connect(NOOR);
    await authority.consents.revokeSubjectSessions(before.claims.sub, BY_ADMIN);
    await nextSecond();
    const after = await connect(NOOR);
    await until(async () => (await statusOf(before.claims)) === 1, 'the bit is set');
    expect(await statusOf(after.claims)).toBe(0);
  });

  it('sets the bit with the revocation, unless it is rolled back', async () => {
    const { claims } = await connect(ALMA);
    const { db } = authority.database;
    const revoked = async (): Promise<boolean | undefined> =>
      (
        await db
          .selectFrom('authority.token_status')
          .select('revoked')
          .where('jti', '=', claims.jti)
          .executeTakeFirst()
      )?.revoked;
    const failed = db.transaction().execute(async (trx) => {
      await revokeStatuses(trx, { subject: claims.sub });
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    expect(await revoked()).toBe(false);
    // A change that names something the list does not know would revoke too much.
    await db.transaction().execute((trx) => revokeStatuses(trx, { subject: claims.sub, scope: 'a' }));
    await db.transaction().execute((trx) => revokeStatuses(trx, {}));
    expect(await revoked()).toBe(false);
    await db.transaction().execute((trx) => revokeStatuses(trx, { tokenId: claims.jti }));
    expect(await revoked()).toBe(true);
  });

  it('frees a place only when no valid list contains its token', async () => {
    const { claims } = await connect(ALMA);
    const { db } = authority.database;
    const expire = (secondsAgo: number) =>
      db
        .updateTable('authority.token_status')
        .set({ expires_at: new Date(Date.now() - secondsAgo * 1000) })
        .where('jti', '=', claims.jti)
        .execute();
    await expire(LIST_LIFE_SECONDS - 30);
    expect(await removeExpiredStatuses(db, 100)).toBe(0);
    await expire(LIST_LIFE_SECONDS + 1);
    expect(await removeExpiredStatuses(db, 100)).toBe(1);
  });
});
