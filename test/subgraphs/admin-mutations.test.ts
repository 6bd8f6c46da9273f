import { readFile } from 'node:fs/promises';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { SuspensionRegister } from '../../authority/internal.js';
import { startExampleSubgraph } from '../../subgraphs/bank/start-subgraphs.js';
import { changeSuspension, listSuspensions } from '../../cli/actions/suspend.js';
import {
  authorizationRequest,
  discover,
  exchange,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
} from '../authority/setup.js';
import {
  type Answer,
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  startTestGateway,
  type TestGateway,
  TestSubgraph,
  until,
} from '../gateway/support.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { signInAndConsent } from '../support/person.js';
import { projectPath } from '@behalf/example/internal';
import { nextSecond } from '../support/wait.js';

const REASON = 'the-secret-reason of the incident';

const cleanup = new Cleanup();
let authority: TestAuthority;
let people: TestSubgraph;
/** The same federation through two gateways. */
let gateways: TestGateway[];
let admin: Tokens;
const subgraphLog: string[] = [];

interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly client: oidc.Configuration;
}

/** A real authority, the consent subgraph with its own connections, and two real gateways. */
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 20_000 });
  cleanup.add(() => authority.close());
  people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  const consent = await startExampleSubgraph('consent', {
    databaseUrl: authority.database.url,
    gateway: { issuer: gatewayUrl, jwksUri: `${gatewayUrl}/.well-known/jwks.json` },
    pseudonymKey: new Uint8Array(32),
    host: '127.0.0.1',
    port: 0,
    log: { log: (_level, code, facts) => void subgraphLog.push(`${code} ${JSON.stringify(facts ?? {})}`) },
  });
  cleanup.add(() => consent.close());
  const supergraph = composeSupergraph([
    {
      name: 'consent',
      url: consent.url,
      sdl: await readFile(projectPath('subgraphs', 'consent', 'schema.graphql'), 'utf8'),
    },
    { name: 'people', url: people.url, sdl: people.sdl },
  ]);
  const config = {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    revocation: { streams: [{ issuer: authority.issuer, secret: STREAM_SECRET }] },
  };
  gateways = [
    await startTestGateway(cleanup, supergraph, {
      ...config,
      listen: { port },
      subgraphs: { consent: { roles: ['administrator'] } },
      revocation: { ...config.revocation, instance: 'first' },
    }),
    await startTestGateway(cleanup, compose(people), {
      ...config,
      revocation: { ...config.revocation, instance: 'second' },
    }),
  ];
  for (const each of gateways) {
    await until(() => each.running.gateway.health().revocation === 'fresh', 'the view is fresh');
  }
  admin = await connect('iris', 'consents:admin', 'bank-console');
});
afterAll(() => cleanup.run());
afterEach(async () => {
  const register = new SuspensionRegister(authority.database.db);
  for (const { target } of await register.standing()) {
    await register.resume(target, { by: 'test', reason: 'over' });
  }
});

async function connect(user: string, scope = 'accounts:read', clientId = 'budget-app'): Promise<Tokens> {
  const client = await discover(authority, clientId);
  const request = await authorizationRequest(client, scope);
  const { callbackUrl } = await signInAndConsent({
    authorizationUrl: request.url,
    user,
    password: `${user}-demo`,
  });
  const tokens = await exchange(client, callbackUrl, request);
  return { client, access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
}

async function administer(mutation: string, token = admin.access): Promise<Answer> {
  const [first] = gateways;
  if (first === undefined) throw new Error('no gateway');
  return first.ask(mutation, { token });
}

/** Each gateway's answer to the token at this moment, without waiting. */
async function read(token: string): Promise<number[]> {
  const answers = await Promise.all(gateways.map((each) => each.ask('{ mine }', { token })));
  return answers.map(({ status }) => status);
}

const claimsOf = (token: string) => decodeJwt<{ consent: { id: string }; sid: string; jti: string }>(token);

async function lastChange() {
  return authority.database.db
    .selectFrom('authority.change_event')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
}

const IN_FORCE = 'inForce { everywhere gateways waitingFor silent }';
const EVERYWHERE = { everywhere: true, gateways: 2, waitingFor: [], silent: [] };
const WAIT = `reason: "${REASON}", waitFor: ALL_GATEWAYS`;

describe('an administrator revokes', () => {
  it('consents: no gateway accepts the token once the mutation returns', async () => {
    const alma = await connect('alma');
    expect(await read(alma.access)).toEqual([200, 200]);
    const { consent } = claimsOf(alma.access);
    const mutation = `mutation { revokeConsent(id: "${consent.id}", ${WAIT}) {
      outcome ended { id clientId } change ${IN_FORCE} } }`;
    const answer = await administer(mutation);
    expect(await read(alma.access)).toEqual([401, 401]);
    expect(answer.body).toEqual({
      data: {
        revokeConsent: {
          outcome: 'DONE',
          ended: [{ id: consent.id, clientId: 'budget-app' }],
          change: expect.any(Number) as number,
          inForce: EVERYWHERE,
        },
      },
    });
    expect((await administer(mutation)).body.data).toEqual({
      revokeConsent: { outcome: 'ALREADY', ended: [], change: null, inForce: EVERYWHERE },
    });
    const unknown = mutation.replace(consent.id, 'no-such-consent');
    expect((await administer(unknown)).body.data).toEqual({
      revokeConsent: { outcome: 'UNKNOWN', ended: [], change: null, inForce: null },
    });
  });

  it('one token, and not the next one', async () => {
    const alma = await connect('alma');
    const next = await oidc.refreshTokenGrant(alma.client, alma.refresh);
    const mutation = `mutation { revokeToken(id: "${claimsOf(alma.access).jti}", ${WAIT}) { outcome ${IN_FORCE} } }`;
    expect((await administer(mutation)).body.data).toEqual({
      revokeToken: { outcome: 'DONE', inForce: EVERYWHERE },
    });
    expect(await read(alma.access)).toEqual([401, 401]);
    expect(await read(next.access_token)).toEqual([200, 200]);
    expect((await administer(mutation)).body.data).toEqual({
      revokeToken: { outcome: 'ALREADY', inForce: EVERYWHERE },
    });
  });

  it('one sign-in, and not those of other browsers', async () => {
    const [here, there] = [await connect('alma'), await connect('alma')];
    const mutation = `mutation { revokeSession(id: "${claimsOf(here.access).sid}", ${WAIT}) {
      outcome sessions tokens ${IN_FORCE} } }`;
    expect((await administer(mutation)).body.data).toEqual({
      // The refresh token, and the code it came from.
      revokeSession: { outcome: 'DONE', sessions: 1, tokens: 2, inForce: EVERYWHERE },
    });
    expect(await read(here.access)).toEqual([401, 401]);
    expect(await read(there.access)).toEqual([200, 200]);
    await expect(oidc.refreshTokenGrant(here.client, here.refresh)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await administer(mutation)).body.data).toMatchObject({ revokeSession: { outcome: 'ALREADY' } });
  });

  it('a person’s sign-ins everywhere, and a client with everybody’s consents', async () => {
    const [alma, noor] = [await connect('alma'), await connect('noor')];
    const sessions = await administer(
      `mutation { revokeSubjectSessions(subject: "c-000001", ${WAIT}) { outcome ${IN_FORCE} } }`,
    );
    expect(sessions.body.data).toEqual({ revokeSubjectSessions: { outcome: 'DONE', inForce: EVERYWHERE } });
    expect(await read(alma.access)).toEqual([401, 401]);
    expect(await read(noor.access)).toEqual([200, 200]);
    const client = await administer(
      `mutation { revokeClient(clientId: "budget-app", ${WAIT}) { outcome ended { id } ${IN_FORCE} } }`,
    );
    expect(client.body.data).toMatchObject({ revokeClient: { outcome: 'DONE', inForce: EVERYWHERE } });
    expect(await read(noor.access)).toEqual([401, 401]);
    const unknown = await administer(
      `mutation { revokeClient(clientId: "budgetapp", reason: "x") { outcome ended { id } inForce { everywhere } } }`,
    );
    expect(unknown.body.data).toEqual({
      revokeClient: { outcome: 'UNKNOWN', ended: [], inForce: null },
    });
    await nextSecond();
  });
});

describe('an administrator suspends', () => {
  const SUSPENSION = 'suspension { kind clientId scope by reason endedBy endedReason }';

  it('a rogue client, and resumes it with the same token', async () => {
    const alma = await connect('alma');
    const mutation = `mutation { suspendClient(clientId: "budget-app", ${WAIT}) { outcome ${SUSPENSION} ${IN_FORCE} } }`;
    const suspension = {
      kind: 'CLIENT',
      clientId: 'budget-app',
      scope: null,
      by: 'admin-iris',
      reason: REASON,
      endedBy: null,
      endedReason: null,
    };
    expect((await administer(mutation)).body.data).toEqual({
      suspendClient: { outcome: 'DONE', suspension, inForce: EVERYWHERE },
    });
    expect(await read(alma.access)).toEqual([403, 403]);
    expect((await administer(mutation)).body.data).toMatchObject({ suspendClient: { outcome: 'ALREADY' } });
    const listed = await administer('{ suspensions { kind clientId reason since endedAt } }');
    expect(listed.body.data).toEqual({
      suspensions: [
        {
          kind: 'CLIENT',
          clientId: 'budget-app',
          reason: REASON,
          since: expect.stringMatching(/^\d{4}-/) as string,
          endedAt: null,
        },
      ],
    });
    const resumed = await administer(
      `mutation { resumeClient(clientId: "budget-app", reason: "mended", waitFor: ALL_GATEWAYS) { outcome ${SUSPENSION} ${IN_FORCE} } }`,
    );
    expect(resumed.body.data).toEqual({
      resumeClient: {
        outcome: 'DONE',
        suspension: { ...suspension, endedBy: 'admin-iris', endedReason: 'mended' },
        inForce: EVERYWHERE,
      },
    });
    expect(await read(alma.access)).toEqual([200, 200]);
  });

  it('a scope by an emergency stop, and lifts it', async () => {
    const noor = await connect('noor');
    const stop = (verb: string) =>
      administer(
        `mutation { ${verb}(target: { scope: "accounts:read" }, ${WAIT}) { outcome suspension { kind scope } inForce { everywhere } } }`,
      );
    expect((await stop('emergencyStop')).body.data).toEqual({
      emergencyStop: {
        outcome: 'DONE',
        suspension: { kind: 'SCOPE', scope: 'accounts:read' },
        inForce: { everywhere: true },
      },
    });
    const during = await oidc.refreshTokenGrant(noor.client, noor.refresh);
    expect(during.scope).toBe('');
    expect((await stop('liftEmergencyStop')).body.data).toMatchObject({
      liftEmergencyStop: { outcome: 'DONE' },
    });
  });

  it('everything, their own token included, until an operator lifts it', async () => {
    const alma = await connect('alma');
    const stopped = await administer(
      `mutation { emergencyStop(target: { everything: true }, ${WAIT}) { outcome ${IN_FORCE} } }`,
    );
    // The caller still gets an answer: their request was decided before.
    expect(stopped.body.data).toEqual({ emergencyStop: { outcome: 'DONE', inForce: EVERYWHERE } });
    expect(await read(alma.access)).toEqual([503, 503]);
    const locked = await administer(
      'mutation { liftEmergencyStop(target: { everything: true }, reason: "x") { outcome } }',
    );
    expect(codes(locked)).toEqual(['EMERGENCY_STOP']);
    await expect(oidc.refreshTokenGrant(admin.client, admin.refresh)).rejects.toMatchObject({
      error: 'temporarily_unavailable',
    });

    const printed: string[] = [];
    const print = (line: string): void => void printed.push(line);
    const databaseUrl = authority.database.url;
    await listSuspensions(databaseUrl, print);
    expect(printed.join()).toMatch(/^everything: since .* by admin-iris: the-secret-reason/);
    const resume = {
      action: 'resume',
      kind: 'everything',
      name: undefined,
      reason: 'over',
      wait: true,
    } as const;
    expect(await changeSuspension({ databaseUrl, ...resume }, print)).toBe(0);
    expect(printed.at(-1)).toBe('in force at every gateway that follows the changes (2)');
    // Nothing was revoked: the same tokens are valid again.
    expect(await read(alma.access)).toEqual([200, 200]);
    expect((await administer('{ suspensions { kind } }')).body.data).toEqual({ suspensions: [] });
  });

  it.each([
    '{}',
    '{ everything: false }',
    '{ clientId: "a", scope: "b" }',
    '{ clientId: "a", everything: true }',
    '{ scope: "two words" }',
    '{ clientId: "no such / id" }',
  ])('nothing for a target of %s', async (target) => {
    const answer = await administer(`mutation { emergencyStop(target: ${target}, reason: "x") { outcome } }`);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect((await administer('{ suspensions { kind } }')).body.data).toEqual({ suspensions: [] });
  });

  it.each(['', '  ', 'x'.repeat(501), 'line\\nfeed'])('nothing for the reason "%s"', async (reason) => {
    const answer = await administer(
      `mutation { suspendClient(clientId: "budget-app", reason: "${reason}") { outcome } }`,
    );
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('a caller who is not an administrator', () => {
  const MUTATIONS = [
    'revokeToken(id: "x", reason: "x") { outcome }',
    'revokeClient(clientId: "x", reason: "x") { outcome }',
    'revokeSubjectSessions(subject: "x", reason: "x") { outcome }',
    'revokeSession(id: "x", reason: "x") { outcome }',
    'suspendClient(clientId: "x", reason: "x") { outcome }',
    'resumeClient(clientId: "x", reason: "x") { outcome }',
    'emergencyStop(target: { everything: true }, reason: "x") { outcome }',
    'liftEmergencyStop(target: { everything: true }, reason: "x") { outcome }',
  ];

  it.each(MUTATIONS)('has no effect by %s', async (mutation) => {
    const before = (await lastChange()).seq;
    const noor = await connect('noor');
    for (const token of [noor.access, undefined]) {
      const answer = await gateways[0]?.ask(`mutation { ${mutation} }`, token === undefined ? {} : { token });
      expect(answer?.body.errors?.[0]?.extensions?.code).toBe('UNAUTHORIZED_FIELD_OR_TYPE');
    }
    expect((await lastChange()).seq).toBe(before);
  });
});

describe('the log', () => {
  it('of the authority has the reason; others have neither reason nor token', async () => {
    const alma = await connect('alma');
    const { jti } = claimsOf(alma.access);
    await administer(`mutation { revokeToken(id: "${jti}", reason: "${REASON}") { outcome } }`);
    expect(await lastChange()).toMatchObject({
      members: { tokenId: jti },
      initiator: 'admin',
      entity_id: 'admin-iris',
      reason: REASON,
    });
    await until(
      async () => (await read(alma.access)).every((status) => status === 401),
      'the token is refused',
    );
    const logs = [...gateways.map(({ log }) => log.text), ...subgraphLog, ...authority.logged].join('\n');
    expect(logs).toContain('REVOKED');
    expect(logs).not.toContain(REASON);
    expect(logs).not.toMatch(/eyJ/);
    for (const secret of [alma.access, alma.refresh, admin.access]) expect(logs).not.toContain(secret);
  });
});
