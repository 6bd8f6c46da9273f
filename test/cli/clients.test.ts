import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { secretDigest } from '../../authority/clients/secret.js';
import { ApplicationRegister, ConsentRegister } from '../../authority/internal.js';
import type { AuthoritySchema } from '../../authority/internal.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { behalf as run, type Ended } from './support.js';
import { consentTerms } from '../support/consent-terms.js';

const POLICY = {
  scopes: { 'accounts:read': { sentence: 'See your accounts', access: 'read', sensitivity: 'personal' } },
  clients: {
    ledger: { scopes: ['accounts:read'] },
    phone: { scopes: ['accounts:read'] },
    service: { scopes: ['accounts:read'] },
  },
};
const ADD = [
  ['--name', 'Ledger', '--owner', 'Ledger & Sons', '--contact', 'help@ledger.example'],
  ['--redirect-uri', 'https://ledger.example/back', '--home-page', 'https://ledger.example'],
  ['--origin', 'https://ledger.example'],
].flat();

const PHONE = {
  displayName: 'Phone',
  owner: 'Ledger & Sons',
  contact: 'mailto:help@ledger.example',
  redirectUris: ['http://127.0.0.1/cb'],
};

let database: TestDatabase<AuthoritySchema>;
let folder: string;
let policy: string;
beforeAll(async () => {
  database = await createTestDatabase<AuthoritySchema>();
  folder = await mkdtemp(join(tmpdir(), 'behalf-clients-'));
  policy = join(folder, 'policy.yaml');
  await writeFile(policy, stringify(POLICY));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** A command on the test's store. */
function behalf(...args: string[]): Promise<Ended> {
  return run(args, '', { DATABASE_URL: database.url });
}

describe('behalf clients', () => {
  it('registers on an empty store, prints the secret once, lists, shows and retires', async () => {
    const added = await behalf('clients', 'add', 'ledger', ...ADD, '--policy', policy);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    const secret = /^secret: ([\w-]{43})$/m.exec(added.stdout)?.[1] ?? '';
    const applications = new ApplicationRegister(database.db);
    expect(await applications.findClient('ledger')).toEqual({
      clientId: 'ledger',
      displayName: 'Ledger',
      owner: 'Ledger & Sons',
      contact: 'mailto:help@ledger.example',
      homePage: 'https://ledger.example',
      origins: ['https://ledger.example'],
      redirectUris: ['https://ledger.example/back'],
      secretDigest: secretDigest(secret),
    });
    const phone = ['--redirect-uri', 'http://127.0.0.1/cb', '--public', '--policy', policy];
    const added2 = await behalf('clients', 'add', 'phone', ...ADD, ...phone);
    expect(added2.stdout).not.toContain('secret');

    const shown = await behalf('clients', 'show', 'ledger');
    expect(shown.stdout).toContain('Ledger & Sons');
    expect(shown.stdout).toContain('mailto:help@ledger.example');
    const consents = new ConsentRegister(database.db);
    await consents.grant(consentTerms('alma', { clientId: 'ledger', purposes: [] }));
    const retired = await behalf('clients', 'retire', 'ledger', '--reason', 'over');
    expect(retired.stdout).toContain('Consents ended: 1.');
    expect((await behalf('clients', 'list')).stdout).toMatch(/^phone .*\n$/);
    expect((await behalf('clients', 'list', '--all')).stdout).toMatch(/^ledger .*retired .*\nphone .*\n$/);
    for (const { stdout } of [shown, retired]) expect(stdout).not.toContain(secret);
  }, 60_000);

  it('says that none is registered, or that all are retired', async () => {
    const empty = await createTestDatabase<AuthoritySchema>();
    try {
      const clients = async (...args: string[]): Promise<string> =>
        (await run(['clients', ...args], '', { DATABASE_URL: empty.url })).stdout;
      expect(await clients('list')).toBe('No application is registered.\n');
      expect(await clients('list', '--all')).toBe('No application is registered.\n');
      await clients('add', 'ledger', ...ADD, '--policy', policy);
      await clients('retire', 'ledger', '--reason', 'over');
      expect(await clients('list')).toBe('No application is registered; --all lists the retired ones.\n');
      expect(await clients('list', '--all')).toMatch(/^ledger .*retired .*\n$/);
    } finally {
      await empty.drop();
    }
  }, 60_000);

  it.each([
    ['CLIENT_NOT_IN_POLICY', ['add', 'stranger', ...ADD]],
    ['CLIENT_INVALID', ['add', 'phone', ...ADD, '--contact', 'nobody']],
    ['CLIENT_EXISTS', ['add', 'phone', ...ADD]],
  ])('reports %s, and exits with 1', async (code, args) => {
    const ended = await behalf('clients', ...args, '--policy', policy);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(new RegExp(`^${code}: `));
  });

  it('registers, shows and changes a file; prints only new secrets', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256' }] };
    const whole = {
      displayName: 'Statements',
      owner: 'Example Bank',
      contact: 'mailto:it@bank.example',
      redirectUris: [],
      oauth: {
        authentication: { method: 'private_key_jwt', jwks },
        senderConstraint: 'dpop',
        clientCredentials: { scopes: ['accounts:read'] },
        exchange: { from: ['phone'], depth: 1 },
        introspection: true,
        profile: 'fapi2',
      },
    };
    const file = join(folder, 'client.json');
    await writeFile(file, JSON.stringify(whole));
    const added = await behalf('clients', 'add', 'service', '--file', file, '--policy', policy);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).not.toContain('secret');
    const applications = new ApplicationRegister(database.db);
    expect(await applications.findClient('service')).toEqual({ ...whole, clientId: 'service' });
    const shown = (await behalf('clients', 'show', 'service')).stdout;
    for (const line of [
      'kind          confidential, private_key_jwt',
      'profile       FAPI 2.0',
      'tokens bound  by dpop',
      'for itself    accounts:read',
      'exchanges     tokens of phone, to a depth of 1',
      'introspects ',
    ]) {
      expect(shown).toContain(`  ${line}`);
    }
    expect((await behalf('clients', 'list')).stdout).toMatch(/^service +confidential +Statements/m);

    const { authentication: _, profile: __, ...bySecret } = whole.oauth;
    await writeFile(file, JSON.stringify({ ...whole, oauth: bySecret }));
    const changed = await behalf('clients', 'change', 'service', '--file', file, '--policy', policy);
    expect(changed).toMatchObject({ code: 0, stderr: '' });
    const first = /^secret: ([\w-]{43})$/m.exec(changed.stdout)?.[1] ?? '';
    expect(await applications.findClient('service')).toMatchObject({ secretDigest: secretDigest(first) });
    const renewed = await behalf('clients', 'renew-secret', 'service');
    const second = /^secret: ([\w-]{43})$/m.exec(renewed.stdout)?.[1] ?? '';
    expect(second).not.toBe(first);
    expect(await applications.findClient('service')).toMatchObject({ secretDigest: secretDigest(second) });
  }, 60_000);

  it.each([
    [
      'CLIENT_INVALID',
      'a private key',
      {
        oauth: {
          authentication: { method: 'private_key_jwt', jwks: { keys: [{ kty: 'EC', d: 'sekret' }] } },
        },
      },
    ],
    ['CLIENT_INVALID', 'unknown members', { scopes: 'sekret' }],
    ['FILE_UNREADABLE', 'no JSON', 'sekret'],
  ])('reports %s of a file with %s, without quoting it', async (code, _, content) => {
    const file = join(folder, 'odd.json');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify({ ...PHONE, ...content }));
    for (const args of [
      ['add', 'odd'],
      ['change', 'phone'],
    ]) {
      const ended = await behalf('clients', ...args, '--file', file, '--policy', policy);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(new RegExp(`^${code}: .*\n$`));
      expect(ended.stderr).not.toContain('sekret');
    }
  });

  it('takes a registration from a file or from options, never from both', async () => {
    const both = await behalf('clients', 'add', 'odd', '--file', 'x.json', '--name', 'Odd');
    expect(both.code).toBe(1);
    expect(both.stderr).toContain('cannot be used with');
    const half = await behalf('clients', 'add', 'odd', '--name', 'Odd', '--policy', policy);
    expect(half.stderr).toMatch(/^USAGE: /);
    const none = await behalf('clients', 'add', 'odd', '--file', join(folder, 'none.json'));
    expect(none.stderr).toMatch(/^FILE_UNREADABLE: .*ENOENT\)\n$/);
  });

  it('renews no secret of a public client', async () => {
    expect((await behalf('clients', 'renew-secret', 'phone')).stderr).toMatch(/^CLIENT_INVALID: /);
    expect((await behalf('clients', 'renew-secret', 'nobody')).stderr).toMatch(/^CLIENT_UNKNOWN: /);
  });

  it('reports CLIENT_UNKNOWN for what is not registered', async () => {
    for (const args of [
      ['show', 'nobody'],
      ['retire', 'nobody', '--reason', 'x'],
    ]) {
      expect((await behalf('clients', ...args)).stderr).toMatch(/^CLIENT_UNKNOWN: /);
    }
  });
});

describe('behalf consents verify', () => {
  it('reports which consents differ from the log, without their values', async () => {
    expect(await behalf('consents', 'verify')).toMatchObject({
      code: 0,
      stdout: '1 consent compared with its log, 0 differ\n',
    });
    await sql`update authority.consent set scopes = '{consents:admin}'`.execute(database.db);
    const found = await behalf('consents', 'verify');
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(
      /^[\w-]{36}: differs in scopes\n1 consent compared with its log, 1 differs\n$/,
    );
    expect((await behalf('consents', 'verify', '--nonsense')).code).toBe(2);
  });
});
