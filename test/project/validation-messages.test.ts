import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { type ProtectSchemaOptions, protectSchema } from '../../directives/src/index.js';
import { buildProtectedSubgraph, type ProtectedSubgraphOptions } from '../../directives/src/index.js';
import { checkConfig, readConfig } from '../../gateway/config/config.js';
import { readSupergraphConfig } from '../../gateway/compose/supergraph-config.js';
import { checkRegistration } from '../../authority/clients/registration.js';
import { checkPolicy, readPolicy } from '../../policy/index.js';
import { shapeCheck } from '../../policy/shape.js';
import gatewaySchema from '../../gateway/options/schema.json' with { type: 'json' };
import policySchema from '../../policy/schema.json' with { type: 'json' };
import registrationSchema from '../../authority/clients/registration-schema.json' with { type: 'json' };

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

const issuer = { issuer: 'https://login.example', audience: 'https://api.example' };

describe('a gateway’s configuration is refused in words: ', () => {
  const config = { supergraph: 'supergraph.graphql', issuers: [issuer] };
  it.each<[string, unknown]>([
    ['supergraph: is missing', { issuers: [issuer] }],
    ['isuers: is not a known key; did you mean issuers?', { supergraph: 'x', isuers: [issuer] }],
    [
      'mode: is not a known key; did you mean authorization.mode or audit.mode?',
      { ...config, mode: 'filter' },
    ],
    ['supergraph: must not be empty', { ...config, supergraph: '' }],
    ['supergraph: must be a string, not a number', { ...config, supergraph: 7 }],
    ['supergraph: must be a string, but has no value', { ...config, supergraph: null }],
    ['listen: must be an object, not a list', { ...config, listen: [] }],
    ['listen.port: must be a whole number, not a string', { ...config, listen: { port: '4000' } }],
    ['listen.port: must be a whole number', { ...config, listen: { port: 4000.5 } }],
    ['listen.port: must be at most 65535', { ...config, listen: { port: 65_536 } }],
    ['listen.port: must be at least 0', { ...config, listen: { port: -1 } }],
    ['issuers: must have at least one entry', { ...config, issuers: [] }],
    ['issuers: must be a list, not an object', { ...config, issuers: issuer }],
    [
      'issuers[0].issuer: must be an absolute address, such as https://login.example',
      { ...config, issuers: [{ ...issuer, issuer: 'login.example' }] },
    ],
    [
      'issuers[0].namespace: must be lower-case letters, digits and hyphens, and not begin with a hyphen',
      { ...config, issuers: [{ ...issuer, namespace: 'A' }] },
    ],
    [
      'issuers[0].namespace: must have at most 32 characters',
      { ...config, issuers: [{ ...issuer, namespace: 'a'.repeat(33) }] },
    ],
    [
      'issuers[0].claims.scopes: must have at least one entry',
      { ...config, issuers: [{ ...issuer, claims: { scopes: [] } }] },
    ],
    [
      'authorization.mode: must be one of filter, reject, shadow; did you mean filter?',
      { ...config, authorization: { mode: 'filtr' } },
    ],
    ['dpop.required: must be true or false or a list', { ...config, dpop: { required: 'yes' } }],
    ['dpop.required: must have at least one entry', { ...config, dpop: { required: [] } }],
    [
      'dpop.required[0]: must be an absolute address, such as https://login.example',
      { ...config, dpop: { required: ['x'] } },
    ],
    ['externalUrl: must begin with https:// or http://', { ...config, externalUrl: 'ftp://gateway.example' }],
    [
      'subgraphs.people.headers.x-a: must have at most one key',
      { ...config, subgraphs: { people: { headers: { 'x-a': { from: 'subject', value: 'a' } } } } },
    ],
    [
      'subgraphs.people.headers.x-a: must have at least one key',
      { ...config, subgraphs: { people: { headers: { 'x-a': {} } } } },
    ],
  ])('%s', (message, value) => {
    expect(messageOf(() => checkConfig(value))).toBe(message);
  });
});

describe('a policy is refused in words: ', () => {
  const scope = { sentence: 'See your accounts', access: 'read', sensitivity: 'low' };
  const policy = { scopes: { a: scope } };
  it.each<[string, unknown]>([
    ['scopes: is missing', {}],
    ['scopess: is not a known key; did you mean scopes?', { scopess: { a: scope } }],
    ['clientz: is not a known key; did you mean clients?', { ...policy, clientz: {} }],
    ['scopes: must have at least one key', { scopes: {} }],
    [
      'scopes.a b: is not a valid name: it must be printable ASCII characters without spaces, quotes and backslashes',
      { scopes: { 'a b': scope } },
    ],
    [
      'scopes.a.access: must be one of read, write; did you mean read?',
      { scopes: { a: { ...scope, access: 'reed' } } },
    ],
    ['scopes.a.sentence: must not be empty', { scopes: { a: { ...scope, sentence: '' } } }],
    [
      'scopes.a.sentence: must be one line of text without spaces at either end',
      { scopes: { a: { ...scope, sentence: ' See it' } } },
    ],
    [
      'roles.chief.mayGrant: must not list a value twice, as entries 1 and 3 do',
      { ...policy, roles: { chief: { mayGrant: ['a', 'b', 'a'] } } },
    ],
    [
      'rateClasses.slow.requests: must be at least 1',
      { ...policy, rateClasses: { slow: { requests: 0, per: 'PT1M' } } },
    ],
    ['must be an object, not a list', []],
  ])('%s', (message, value) => {
    expect(messageOf(() => checkPolicy(value))).toBe(message);
  });
});

describe('a registration of the authority is refused in words: ', () => {
  const registration = {
    displayName: 'Budget',
    owner: 'Budget AB',
    contact: 'mailto:help@budget.example',
    redirectUris: ['https://budget.example/callback'],
  };
  const withKey = (authentication: unknown) => ({ ...registration, oauth: { authentication } });
  it.each<[string, unknown]>([
    ['displayname is not a known key; did you mean displayName?', { ...registration, displayname: 'x' }],
    ['contact must be a mailto: or https: address', { ...registration, contact: 'help' }],
    ['owner must be one line of text without control characters', { ...registration, owner: 'a\nb' }],
    [
      'oauth.authentication.method must be one of private_key_jwt, self_signed_tls_client_auth, tls_client_auth',
      withKey({ method: 'password' }),
    ],
    ['oauth.authentication.jwks is missing', withKey({ method: 'private_key_jwt' })],
    [
      'oauth.authentication.jwks.keys must have at least one entry',
      withKey({ method: 'private_key_jwt', jwks: { keys: [] } }),
    ],
    [
      'oauth.authentication.dnsName must be a DNS name in lower case, without wildcards',
      withKey({ method: 'tls_client_auth', dnsName: '*.example' }),
    ],
    ['oauth.profile must be fapi2', { ...registration, oauth: { profile: 'fapi1' } }],
    ['must be an object, not a string', 'Budget'],
  ])('%s', (message, value) => {
    expect(messageOf(() => checkRegistration(value))).toBe(message);
  });
});

describe('options of a protected subgraph are refused in words: ', () => {
  const gateway = { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' };
  const good = { name: 'people', gateway };
  const schema = () => buildSchema('type Query { a: String }');
  it.each<[string, unknown]>([
    ['the options: must be an object, not undefined', undefined],
    ['name: must not be empty', { ...good, name: '' }],
    ['name: must be a string, not a number', { ...good, name: 7 }],
    ['rule: is not an option; did you mean rules?', { ...good, rule: {} }],
    ['coverage: must be one of required, open; did you mean open?', { ...good, coverage: 'opn' }],
    ['typeDefs: is an option of buildProtectedSubgraph', { ...good, typeDefs: '' }],
    [
      'gateway.jwksUri: must be an absolute address, such as https://gateway.example',
      { ...good, gateway: { issuer: 'x', jwksUri: '/jwks' } },
    ],
    [
      "rules: must be an object of directives by schema coordinate, such as { 'Query.balance': { requiresScope: { scope: 'accounts:read' } } }, not a list",
      { ...good, rules: [] },
    ],
    [
      'Query.a: directives must be { name: args } or [{ name, args }], not a string',
      { ...good, rules: { 'Query.a': 'authenticated' } },
    ],
    [
      'Query.a: each entry of a list must be { name, args }, not a string',
      { ...good, rules: { 'Query.a': ['authenticated'] } },
    ],
    [
      'Query.a: each entry of a list must be { name, args }, not { authenticated }',
      { ...good, rules: { 'Query.a': [{ authenticated: {} }] } },
    ],
    [
      'Query.a: the arguments of requiresScope must be an object ({} for none), not a string',
      { ...good, rules: { 'Query.a': { requiresScope: 'a' } } },
    ],
    [
      'Query.a: the arguments of authenticated must be an object ({} for none), not true or false',
      { ...good, rules: { 'Query.a': { authenticated: true } } },
    ],
  ])('%s', (message, options) => {
    expect(messageOf(() => protectSchema(schema(), options as ProtectSchemaOptions))).toBe(message);
  });

  it('rules for buildProtectedSubgraph', () => {
    const options = { ...good, typeDefs: 'type Query { a: String }', resolvers: {}, rules: {} };
    expect(messageOf(() => buildProtectedSubgraph(options as ProtectedSubgraphOptions))).toBe(
      'rules: is an option of protectSchema; here, write rules as directives in typeDefs',
    );
  });
});

describe('every keyword of JSON Schema has a sentence', () => {
  it.each<[string, object, unknown]>([
    ['must be a', { const: 'a' }, 'b'],
    ['must be less than 3', { type: 'number', exclusiveMaximum: 3 }, 3],
    ['must be more than 3', { type: 'number', exclusiveMinimum: 3 }, 3],
    ['must be a multiple of 4', { type: 'number', multipleOf: 4 }, 3],
    ['must have at most one entry', { type: 'array', items: {}, maxItems: 1 }, [1, 2]],
    ['must have at least 3 characters', { type: 'string', minLength: 3 }, 'ab'],
    ['must be a valid date', { type: 'string', format: 'date' }, 'tomorrow'],
    ['is not valid', { type: 'string', not: { const: 'a' } }, 'a'],
    ['must be a string or a number', { oneOf: [{ type: 'string' }, { type: 'number' }] }, true],
  ])('%s', (problem, schema, value) => {
    expect(shapeCheck(schema, {})(value)).toEqual({ path: '', problem });
  });

  it('a key that another one needs', () => {
    const schema = {
      type: 'object',
      properties: { a: {}, b: {} },
      dependencies: { a: ['b'] },
    };
    expect(shapeCheck(schema, {})({ a: 1 })).toEqual({ path: 'b', problem: 'is missing, and a needs it' });
  });

  it('and every pattern a sentence of its own', () => {
    const unexplained: string[] = [];
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('pattern' in node && typeof node.pattern === 'string' && !('patternErrorMessage' in node))
        unexplained.push(node.pattern);
      Object.values(node).forEach(walk);
    };
    [gatewaySchema, policySchema, registrationSchema].forEach(walk);
    expect(unexplained).toEqual([]);
  });
});

const READERS: [string, (file: string) => Promise<unknown>][] = [
  ['a gateway’s configuration', (file) => readConfig(file)],
  ['a policy', readPolicy],
  ['supergraph.yaml', readSupergraphConfig],
];
describe.each(READERS)('the file of %s', (_, read) => {
  it.each([
    ['empty', '', 'must have keys at its top, but is empty'],
    ['nothing but a comment', '# later\n', 'must have keys at its top, but is empty'],
    ['a list', '- scopes\n', 'must have keys at its top, but is a list'],
    ['a text', 'scopes\n', 'must have keys at its top, but is a string'],
    ['not YAML', 'scopes: [', 'is not YAML: '],
  ])('is refused by its name if it is %s', async (_kind, text, words) => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-file-'));
    try {
      const file = join(folder, 'file.yaml');
      await writeFile(file, text);
      await expect(read(file)).rejects.toThrow(`${file} ${words}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
