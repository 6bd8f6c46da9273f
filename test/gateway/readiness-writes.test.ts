import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryProofReplayStore, PostgresProofReplayStore, protectGateway } from '../../gateway/index.js';
import { createRoledDatabase } from '../support/gateway-roles.js';
import type { RoledDatabase } from '../support/gateway-roles.js';
import { expectNotReady, expectReady } from '../support/health.js';
import { Prover } from './dpop.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let supergraph: string;
let roles: RoledDatabase;
let prover: Prover;
/** One requires records, the other a proof with each token. */
let recording: TestGateway;
let proving: TestGateway;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  roles = await createRoledDatabase();
  cleanup.add(() => roles.drop());
  prover = await Prover.create();
  const pseudonymKey = Buffer.alloc(32, 7).toString('base64url');
  recording = await start({ audit: { mode: 'required', database: roles.writer.url, pseudonymKey } });
  proving = await start({ dpop: { required: true, replay: 'database', database: roles.replay.url } });
});
afterAll(() => cleanup.run());

function start(config: Partial<Parameters<typeof startTestGateway>[2]>): Promise<TestGateway> {
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  return startTestGateway(cleanup, supergraph, { issuers, ...config });
}

async function askWithRecord(): Promise<Answer> {
  // A new person's, whose pseudonym is not known yet.
  return recording.ask('{ hello }', { token: await issuer.mint({ sub: randomUUID() }) });
}

async function askWithProof(gateway: TestGateway): Promise<Answer> {
  const token = await issuer.mint({ cnf: prover.cnf });
  const proof = await prover.prove(`${gateway.url}/graphql`, token);
  return gateway.ask('{ hello }', { headers: { authorization: `DPoP ${token}`, dpop: proof } });
}

const run = (text: string) => sql.raw(text).execute(roles.database.db);

/** The readiness and an actual request agree, while something is missing and afterwards. */
async function expectBoth(
  gateway: TestGateway,
  code: 'AUDIT_UNAVAILABLE' | 'REPLAY_STORE_UNAVAILABLE',
  change: { readonly break: () => Promise<unknown>; readonly mend: () => Promise<unknown> },
): Promise<void> {
  const ask = () => (gateway === recording ? askWithRecord() : askWithProof(gateway));
  await expectReady(gateway.url);
  await change.break();
  await expectNotReady(gateway.url, code);
  const refused = await ask();
  await change.mend();
  expect([refused.status, codes(refused)]).toEqual([503, [code]]);
  await expectReady(gateway.url);
  expect((await ask()).body.data).toEqual({ hello: 'hello world' });
}

const readOnly = {
  break: () => roles.database.setReadOnly(true),
  mend: () => roles.database.setReadOnly(false),
};

describe('a gateway that must record', () => {
  it('is not ready while the database accepts no writes, as a standby', async () => {
    await expectBoth(recording, 'AUDIT_UNAVAILABLE', readOnly);
  });

  it.each([
    ['it may not append', 'revoke execute on function audit.append(jsonb) from ROLE', 'audit.append(jsonb)'],
    [
      'it may not have pseudonyms',
      'revoke execute on function audit.pseudonyms(text[]) from ROLE',
      'audit.pseudonyms(text[])',
    ],
  ])('is not ready while %s', async (_what, revoke, signature) => {
    const { role } = roles.writer;
    await expectBoth(recording, 'AUDIT_UNAVAILABLE', {
      break: () => run(revoke.replace('ROLE', role)),
      mend: () => run(`grant execute on function ${signature} to ${role}`),
    });
  });

  it('is not ready while a table that a record needs is missing', async () => {
    await expectBoth(recording, 'AUDIT_UNAVAILABLE', {
      break: () => run('alter table audit.record_subject rename to away'),
      mend: () => run('alter table audit.away rename to record_subject'),
    });
  });

  it('keeps no record of its checks', async () => {
    const count = async (): Promise<unknown> => {
      const { rows } = await sql`
        select (select count(*) from audit.record) as records, (select count(*) from audit.pending) as waiting`.execute(
        roles.database.db,
      );
      return rows;
    };
    const before = await count();
    await expectReady(recording.url);
    expect(await count()).toEqual(before);
  });
});

describe('a gateway whose tokens all need proofs', () => {
  it('is not ready while the database accepts no writes, as a standby', async () => {
    await expectBoth(proving, 'REPLAY_STORE_UNAVAILABLE', readOnly);
  });

  it('is not ready while it may not claim', async () => {
    const { role } = roles.replay;
    await expectBoth(proving, 'REPLAY_STORE_UNAVAILABLE', {
      break: () => run(`revoke execute on function replay.claim(bytea, integer) from ${role}`),
      mend: () => run(`grant execute on function replay.claim(bytea, integer) to ${role}`),
    });
  });

  it('is not ready while the store of all gateways is full', async () => {
    await askWithProof(proving);
    await expectBoth(proving, 'REPLAY_STORE_UNAVAILABLE', {
      break: () => run('update replay.bound set proofs = 1'),
      mend: () => run('update replay.bound set proofs = 1000000'),
    });
  });

  it.each(['writer', 'reader'] as const)('is not ready under another role, such as the %s', async (name) => {
    const wrong = await start({ dpop: { required: true, replay: 'database', database: roles[name].url } });
    await expectNotReady(wrong.url, 'REPLAY_STORE_UNAVAILABLE');
    expect(codes(await askWithProof(wrong))).toEqual(['REPLAY_STORE_UNAVAILABLE']);
  });

  it('removes the claims of its checks', async () => {
    const store = new PostgresProofReplayStore({ databaseUrl: roles.replay.url });
    cleanup.add(() => store.close());
    await run("update replay.proof set expires_at = now() - interval '1 second'");
    for (let check = 0; check < 8; check += 1) {
      await store.check();
      await run("update replay.proof set expires_at = now() - interval '1 second'");
    }
    const { rows } = await sql`select from replay.proof`.execute(roles.database.db);
    expect(rows.length).toBeLessThanOrEqual(2);
  });

  it('is not ready while its own memory of proofs is full', async () => {
    const replay = new MemoryProofReplayStore({ maxEntries: 1 });
    const gateway = protectGateway(
      { supergraphSdl: supergraph },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        dpop: { required: true, replay },
      },
    );
    cleanup.add(() => gateway.stop());
    await replay.check();
    await replay.claim('first', 60);
    await expect(replay.check()).rejects.toThrow('REPLAY_STORE_FULL');
    expect(await gateway.notReady()).toContain('REPLAY_STORE_UNAVAILABLE');
  });

  it('is not ready while its own part of a shared store is full', async () => {
    const store = new PostgresProofReplayStore({ databaseUrl: roles.replay.url, maxEntries: 1 });
    cleanup.add(() => store.close());
    await store.check();
    await store.claim(Buffer.alloc(32, 9).toString('base64url'), 60);
    await expect(store.check()).rejects.toThrow('REPLAY_STORE_FULL');
  });
});
