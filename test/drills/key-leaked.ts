import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import * as oauth from 'openid-client';
import { EXAMPLE_AUDIENCE } from '@behalf/example/internal';
import { rotateKeys } from 'behalf/internal';
import { ask, BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';

/** A signing key of the authority has leaked. */
export const keyLeaked: Drill = {
  name: 'key-leaked',
  breach: 'The authority’s signing key has leaked: its thief can sign a token for anybody.',
  async run(system, report) {
    const client = await discover(system);
    const alma = await signIn(client, 'alma', BUDGET_SCOPES);
    const { kid = '' } = decodeProtectedHeader(alma.access_token);
    const privateJwk = await system.leakedKey(kid);
    const { consent, client_id: clientId } = decodeJwt(alma.access_token);
    const forged = await new SignJWT({
      client_id: clientId,
      consent,
      scope: 'profile:read profile:contact profile:identity accounts:read accounts:details',
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .setIssuer(system.front.url)
      .setAudience(EXAMPLE_AUDIENCE)
      .setSubject('c-000002')
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('5 min')
      .sign(await importJWK(privateJwk, 'ES256'));
    report.tried('a token for Noor with every scope, signed with the leaked key');
    expect((await ask(system, forged)).status === 200, 'it looks exactly like a real one');
    report.held('it is read: a signature is all that a gateway has. The key is found to have leaked');

    const lines: string[] = [];
    await rotateKeys({ databaseUrl: system.databaseUrl, revoke: [kid], reason: 'leaked' }, (line) =>
      lines.push(line),
    );
    const waitedMs = await until(async () => (await ask(system, forged)).status === 401, 'it is refused');
    report.stopped(`behalf rotate-keys --revoke: every gateway refuses it after ${waitedMs.toFixed(0)} ms`);
    expect((await ask(system, alma.access_token)).status === 401, 'all that the key signed is refused');
    report.stopped('with it all that the key ever signed, honest tokens as well');
    const renewed = await oauth.refreshTokenGrant(client, alma.refresh_token ?? '');
    const next = decodeProtectedHeader(renewed.access_token).kid;
    expect(next !== kid, 'another key signs');
    await until(async () => (await ask(system, renewed.access_token)).status === 200, 'the new token works');
    report.held('the application refreshes its token: a new key signs, unrelated to the leaked one');
    report.tried('signing on with the leaked key');
    expect((await ask(system, forged)).status === 401, 'it is refused');
    report.stopped('the key is in no JWKS any more');
  },
};
