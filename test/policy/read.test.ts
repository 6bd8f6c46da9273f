import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { checkPolicy, readPolicy } from '../../policy/index.js';
import { projectPath } from '@behalf/example/internal';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-policy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readText(text: string) {
  const file = join(folder, 'policy.yaml');
  await writeFile(file, text);
  return readPolicy(file);
}

const SMALL = `
scopes:
  a:read: { sentence: See it, access: read, sensitivity: low }
  a:write: { sentence: Change it, access: write, sensitivity: sensitive }
purposes:
  planning: { sentence: To plan }
roles:
  chief: { mayGrant: [a:write] }
clients:
  app: { scopes: [a:read], purposes: [planning], longestConsent: P1DT12H, rateClass: slow }
rateClasses:
  slow: { requests: 3, per: PT1M }
longestConsent: { sensitive: P2W }
`;

/** An unchecked file, for a test to modify. */
type Draft = Record<'scopes' | 'clients' | 'roles' | 'rateClasses', Record<string, object>>;
type Change = (policy: Draft) => unknown;

const read = (change: Change) => () => {
  const value = parseYaml(SMALL) as Draft;
  change(value);
  return checkPolicy(value);
};

describe('a policy file', () => {
  it('is read into maps by name', async () => {
    const policy = await readText(SMALL);
    expect(policy.scopes.get('a:write')).toEqual({
      name: 'a:write',
      sentence: 'Change it',
      access: 'write',
      sensitivity: 'sensitive',
    });
    expect(policy.roles.get('chief')).toEqual({ name: 'chief', mayGrant: ['a:write'] });
    expect(policy.clients.get('app')).toEqual({
      clientId: 'app',
      scopes: ['a:read'],
      purposes: ['planning'],
      longestConsentSeconds: 129_600,
      rateClass: 'slow',
    });
    expect(policy.rateClasses.get('slow')).toEqual({
      name: 'slow',
      requests: 3,
      perSeconds: 60,
      costPerRequest: 100,
    });
    expect(policy.longestConsentSeconds).toEqual({ sensitive: 1_209_600 });
  });

  it('of the worked example is valid', async () => {
    const policy = await readPolicy(projectPath('policy.yaml'));
    expect([...policy.roles.keys()]).toEqual(['administrator', 'auditor']);
  });

  it('is refused if it is missing, not YAML, or has duplicate keys', async () => {
    await expect(readPolicy(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(readText('scopes: [')).rejects.toMatchObject({ code: 'POLICY_UNREADABLE' });
    await expect(readText(`${SMALL}\nscopes: {}`)).rejects.toMatchObject({ code: 'POLICY_UNREADABLE' });
    await expect(readText('')).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  });

  it('is refused if its aliases expand without end', async () => {
    const bomb = ['a: &a [x]', ...Array.from({ length: 9 }, (_, n) => level(n))].join('\n');
    await expect(readText(bomb)).rejects.toMatchObject({ name: 'PolicyError' });
  });
});

function level(n: number): string {
  const [from, to] = [String.fromCharCode(97 + n), String.fromCharCode(98 + n)];
  return `${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`;
}

const scope = { sentence: 'See it', access: 'read', sensitivity: 'low' };

describe('an invalid key is refused with its path', () => {
  it.each<[string, string, Change]>([
    ['scopess', 'is not a known key', (p) => Object.assign(p, { scopess: {} })],
    ['scopes', 'is missing', (p) => Reflect.deleteProperty(p, 'scopes')],
    [
      'scopes.a:read.sensible',
      'is not a known key',
      (p) => Object.assign(p.scopes['a:read'] ?? {}, { sensible: 1 }),
    ],
    [
      'scopes.a:read.access',
      'read, write',
      (p) => Object.assign(p.scopes['a:read'] ?? {}, { access: 'admin' }),
    ],
    [
      'scopes.a:read.sentence',
      'one line of text',
      (p) => Object.assign(p.scopes['a:read'] ?? {}, { sentence: ' ' }),
    ],
    ['scopes.a b', 'is not a valid name', (p) => Object.assign(p.scopes, { 'a b': scope })],
    ['scopes.a"b', 'is not a valid name', (p) => Object.assign(p.scopes, { 'a"b': scope })],
    ['scopes.a\\b', 'is not a valid name', (p) => Object.assign(p.scopes, { 'a\\b': scope })],
    ['scopes.é', 'is not a valid name', (p) => Object.assign(p.scopes, { é: scope })],
    [
      'clients.app.longestConsent',
      'ISO 8601',
      (p) => Object.assign(p.clients['app'] ?? {}, { longestConsent: 'P1M' }),
    ],
    [
      'clients.app.longestConsent',
      'ISO 8601',
      (p) => Object.assign(p.clients['app'] ?? {}, { longestConsent: 'PT0S' }),
    ],
    [
      'clients.app.longestConsent',
      'ISO 8601',
      (p) => Object.assign(p.clients['app'] ?? {}, { longestConsent: 'P1DT' }),
    ],
    [
      'longestConsent.sensitive',
      'ISO 8601',
      (p) => Object.assign(p, { longestConsent: { sensitive: 'P9999D' } }),
    ],
    [
      'rateClasses.slow.requests',
      'at least 1',
      (p) => Object.assign(p.rateClasses['slow'] ?? {}, { requests: 0 }),
    ],
    ['rateClasses.slow.per', 'ISO 8601', (p) => Object.assign(p.rateClasses['slow'] ?? {}, { per: '60' })],
    ['rateClasses.slow.per', 'a day', (p) => Object.assign(p.rateClasses['slow'] ?? {}, { per: 'P30D' })],
  ])('%s: %s', (path, words, change) => {
    expect(read(change)).toThrow(
      expect.objectContaining({ name: 'PolicyError', code: 'POLICY_INVALID', path }),
    );
    expect(read(change)).toThrow(words);
  });
});

const deprecate = (deprecated: unknown) => (p: Draft) =>
  Object.assign(p.scopes['a:read'] ?? {}, { deprecated });

describe('what is not a plain object is refused, and not taken for an empty one', () => {
  const scope = { sentence: 'See it', access: 'read', sensitivity: 'low' };
  const circular: Record<string, unknown> = { scopes: { a: scope } };
  circular.roles = circular;

  it.each<[string, unknown, string]>([
    ['a Map of scopes', { scopes: new Map([['a', scope]]) }, 'scopes: must be a plain object, not a Map'],
    [
      'a policy that was read',
      checkPolicy({ scopes: { a: scope } }),
      'scopes: must be a plain object, not a Map',
    ],
    ['inherited scopes', { scopes: Object.create({ a: scope }) as object }, 'scopes: must be a plain object'],
    ['an inherited policy', Object.create({ scopes: { a: scope } }), 'must be a plain object'],
    [
      'a Set in a list',
      { scopes: { a: scope }, roles: { r: { mayGrant: [new Set()] } } },
      'roles.r.mayGrant[0]: ',
    ],
    ['what contains itself', circular, 'roles: contains itself'],
  ])('%s', (_what, content, words) => {
    expect(() => checkPolicy(content)).toThrow(words);
  });
});

describe('a contradiction is refused with its path', () => {
  it.each<[string, string, Change]>([
    [
      'roles.chief.mayGrant[0]',
      'not a scope',
      (p) => Object.assign(p.roles['chief'] ?? {}, { mayGrant: ['x'] }),
    ],
    [
      'clients.app.scopes[1]',
      'not a scope',
      (p) => Object.assign(p.clients['app'] ?? {}, { scopes: ['a:read', 'x'] }),
    ],
    [
      'clients.app.purposes[0]',
      'not a purpose',
      (p) => Object.assign(p.clients['app'] ?? {}, { purposes: ['x'] }),
    ],
    [
      'clients.app.rateClass',
      'not one of the rate',
      (p) => Object.assign(p.clients['app'] ?? {}, { rateClass: 'x' }),
    ],
    ['scopes.a:read.deprecated.since', 'calendar day', deprecate({ since: '2026-02-30' })],
    ['scopes.a:read.deprecated.since', 'calendar day', deprecate({ since: 'soon' })],
    [
      'scopes.a:read.deprecated.until',
      'calendar day',
      deprecate({ since: '2026-01-01', until: '2026-13-01' }),
    ],
    [
      'scopes.a:read.deprecated.until',
      'before since',
      deprecate({ since: '2026-01-02', until: '2026-01-01' }),
    ],
    [
      'scopes.a:read.deprecated.replacedBy[0]',
      'not a scope',
      deprecate({ since: '2026-01-01', replacedBy: ['x'] }),
    ],
    [
      'scopes.a:read.deprecated.replacedBy[0]',
      'itself',
      deprecate({ since: '2026-01-01', replacedBy: ['a:read'] }),
    ],
    [
      'scopes.a:read.deprecated.replacedBy[0]',
      'is deprecated itself',
      (p) => {
        deprecate({ since: '2026-01-01', replacedBy: ['a:write'] })(p);
        Object.assign(p.scopes['a:write'] ?? {}, { deprecated: { since: '2026-01-01' } });
      },
    ],
  ])('%s: %s', (path, words, change) => {
    expect(read(change)).toThrow(expect.objectContaining({ name: 'PolicyError', path }));
    expect(read(change)).toThrow(words);
  });
});

describe('names of Object.prototype', () => {
  it('are names like any other', async () => {
    const policy = await readText(`
scopes:
  __proto__: { sentence: See it, access: read, sensitivity: low }
  constructor: { sentence: See it, access: read, sensitivity: low }
clients:
  __proto__: { scopes: [__proto__] }
`);
    expect([...policy.scopes.keys()]).toEqual(['__proto__', 'constructor']);
    expect(policy.clients.get('__proto__')).toMatchObject({ scopes: ['__proto__'] });
    expect(({} as Record<string, unknown>).sentence).toBeUndefined();
    expect(({} as Record<string, unknown>).scopes).toBeUndefined();
  });

  it('define no clients or scopes that were not written', async () => {
    const text = 'scopes: { a: { sentence: See it, access: read, sensitivity: low } }\n';
    await expect(readText(`${text}clients: { app: { scopes: [toString] } }`)).rejects.toMatchObject({
      code: 'POLICY_CONTRADICTION',
    });
    await expect(readText(`${text}__proto__: { clients: { app: { scopes: [] } } }`)).rejects.toMatchObject({
      code: 'POLICY_INVALID',
    });
    await expect(
      readText('scopes: { a: { __proto__: { sentence: See it, access: read, sensitivity: low } } }'),
    ).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  });
});
