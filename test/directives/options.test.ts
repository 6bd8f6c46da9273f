import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '../../directives/src/clock.js';
import { buildSchema } from 'graphql';
import { expect, it, vi } from 'vitest';
import {
  buildProtectedSubgraph,
  createTxnTokenVerifier,
  protectedContext,
  protectSchema,
} from '../../directives/src/index.js';
import type { ProtectSchemaOptions } from '../../directives/src/index.js';
import { InMemoryReplay } from '../../directives/src/claims/replay-memory.js';
import { SCHEMA_OPTIONS, SUBGRAPH_OPTIONS } from '../../directives/src/enforce/check-options.js';

const gateway = { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' };
const good = { name: 'people', gateway };

const ENDPOINT = 'https://gateway.example/txn-token';
const pair = generateKeyPairSync('ed25519');
const signing = { ...pair.privateKey.export({ format: 'jwk' }), alg: 'EdDSA' };
const verifying = pair.publicKey.export({ format: 'jwk' });

const protect = (options: unknown) =>
  protectSchema(buildSchema('type Query { a: String }'), options as ProtectSchemaOptions);

const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { a: String }`;
const build = (more: object) => buildProtectedSubgraph({ ...good, typeDefs: SDL, resolvers: {}, ...more });

const refusal = (key: string): object =>
  expect.objectContaining({
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining(`${key}: `) as string,
  }) as object;

it.each([
  ['the options', undefined],
  ['the options', null],
  ['the options', []],
  ['name', { gateway }],
  ['name', { ...good, name: '' }],
  ['name', { ...good, name: 7 }],
  ['gateway', { name: 'people' }],
  ['gateway', { ...good, gateway: 'https://gateway.example' }],
  ['gateway', { ...good, gateway: { issuer: 'x' } }],
  ['gateway', { ...good, gateway: { ...gateway, keys: [verifying] } }],
  ['gateway', { ...good, gateway: new Map([['issuer', 'x']]) }],
  ['gateway', { ...good, gateway: Object.create(gateway) as object }],
  ['gateway.issuer', { ...good, gateway: { keys: [verifying] } }],
  ['gateway.jwksUri', { ...good, gateway: { issuer: 'x', jwksUri: '/jwks' } }],
  ['gateway.jwksUri', { ...good, gateway: { issuer: 'x', jwksUri: 7 } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: 'key' } }],
  ['gateway.algs', { ...good, gateway: { ...gateway, algs: ['none'] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: [] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: [1] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: [{}] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: [signing] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: [verifying, { kty: 'oct', k: 'a' }] } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: { keys: [verifying] } } }],
  ...[
    'file:///etc/passwd',
    'ftp://gateway.example/jwks',
    'javascript:x',
    'data:application/json,{}',
    'http://gateway.example/jwks',
    'http://127.0.0.1.evil.example/jwks',
    'http://localhost.evil.example/jwks',
    'http://10.0.0.7/jwks',
    'https://me:secret@gateway.example/jwks',
  ].map((jwksUri): [string, unknown] => ['gateway.jwksUri', { ...good, gateway: { issuer: 'x', jwksUri } }]),
  [
    'gateway.jwksUri',
    { ...good, gateway: { issuer: 'x', jwksUri: 'ftp://gateway.example', allowInsecureGateway: true } },
  ],
  ['gateway.allowInsecureGateway', { ...good, gateway: { ...gateway, allowInsecureGateway: 'yes' } }],
  ['rule', { ...good, rule: {} }],
  ['rules', { ...good, rules: [] }],
  ['typeDefs', { ...good, typeDefs: '' }],
  ['__proto__x', { ...good, ['__proto__x']: 1 }],
  ['toString', { ...good, toString: () => '' }],
  ['coverage', { ...good, coverage: 'opn' }],
  ['enforcement', { ...good, enforcement: 'Enforce' }],
  ['binding', { ...good, binding: 'requird' }],
  ['pseudonymKey', { ...good, pseudonymKey: 'x'.repeat(32) }],
  ['log', { ...good, log: 'stderr' }],
  ['clock', { ...good, clock: Date }],
  ['clock', { ...good, clock: { ...systemClock, sleep: undefined } }],
  ['clock', { ...good, clock: () => 0 }],
  ['onRefusedToken', { ...good, onRefusedToken: true }],
  ['revocationSignal', { ...good, revocationSignal: {} }],
  ['fieldResolver', { ...good, fieldResolver: 'default' }],
  ['subscribeFieldResolver', { ...good, subscribeFieldResolver: {} }],
  ['replay', { ...good, replay: 'memory' }],
  ['replay', { ...good, replay: {} }],
  ['replay', { ...good, replay: { use: true } }],
  ['replay', { ...good, replay: new Map() }],
  ['pseudonymKey', { ...good, pseudonymKey: new Uint8Array(1) }],
  ['pseudonymKey', { ...good, pseudonymKey: new Uint8Array(31) }],
  ['pseudonymKey', { ...good, pseudonymKey: new ArrayBuffer(32) }],
  ['passOn', { ...good, passOn: 'https://gateway.example/txn-token' }],
  ['passOn', { ...good, passOn: new Map([['endpoint', ENDPOINT]]) }],
  ['passOn', { ...good, passOn: { endpoint: ENDPOINT } }],
  ['passOn', { ...good, passOn: { endpoint: ENDPOINT, secret: 's', privateKey: signing } }],
  ['passOn.endpont', { ...good, passOn: { endpont: ENDPOINT } }],
  ['passOn.endpoint', { ...good, passOn: {} }],
  ['passOn.endpoint', { ...good, passOn: { endpoint: 7, secret: 's' } }],
  ['passOn.endpoint', { ...good, passOn: { endpoint: '/txn-token', secret: 's' } }],
  ['passOn.endpoint', { ...good, passOn: { endpoint: 'http://gateway.example/txn-token', secret: 's' } }],
  ['passOn.secret', { ...good, passOn: { endpoint: ENDPOINT, secret: '' } }],
  ['passOn.privateKey', { ...good, passOn: { endpoint: ENDPOINT, privateKey: {} } }],
  ['passOn.privateKey', { ...good, passOn: { endpoint: ENDPOINT, privateKey: verifying } }],
  [
    'passOn.privateKey',
    { ...good, passOn: { endpoint: ENDPOINT, privateKey: { ...signing, alg: undefined } } },
  ],
  ['passOn.timeoutMs', { ...good, passOn: { endpoint: ENDPOINT, secret: 's', timeoutMs: '3000' } }],
  ['passOn.timeoutMs', { ...good, passOn: { endpoint: ENDPOINT, secret: 's', timeoutMs: 0 } }],
  ['rules', { ...good, rules: new Map([['Query.a', { authenticated: {} }]]) }],
  ['rules', { ...good, rules: Object.create({ 'Query.a': { authenticated: {} } }) as object }],
  [
    'rules',
    {
      ...good,
      rules: new (class Rules {
        readonly 'Query.a' = { authenticated: {} };
      })(),
    },
  ],
])('protectSchema refuses a wrong or unknown option and names it: %s', (key, options) => {
  expect(() => protect(options)).toThrow(refusal(key));
});

it.each([
  ['resolver', { resolver: {} }],
  ['resolvers', { resolvers: undefined }],
  ['typeDefs', { typeDefs: undefined }],
  ['typeDefs', { typeDefs: '' }],
  ['typeDefs', { typeDefs: 5 }],
  ['typeDefs', { typeDefs: Buffer.from(SDL) }],
  ['typeDefs', { typeDefs: {} }],
  ['typeDefs', { typeDefs: () => SDL }],
  ['typeDefs', { typeDefs: Promise.resolve(SDL) }],
  ['typeDefs', { typeDefs: buildSchema('type Query { a: Int }') }],
  ['typeDefs', { typeDefs: [SDL, Buffer.from('')] }],
  ['typeDefs', { typeDefs: './schema.graphql' }],
  ['typeDefs', { typeDefs: [SDL, 'type Query {'] }],
  ['transform', { transform: {} }],
  ['rules', { rules: {} }],
])('buildProtectedSubgraph refuses a wrong or unknown option and names it: %s', (key, more) => {
  expect(() => build(more)).toThrow(refusal(key));
});

it.each([
  ['the options: must be an object, not a list', []],
  ['name: is missing', { gateway }],
  ['gateway: is missing', { name: 'people' }],
  ['gateway: must be an object, not a string', { ...good, gateway: 'https://gateway.example' }],
  ['coverage: must be one of required, open; did you mean open?', { ...good, coverage: 'opn' }],
  ['enforcement: must be one of enforce, shadow; did you mean enforce?', { ...good, enforcement: 'Enforce' }],
  ['enforcement: must be one of enforce, shadow', { ...good, enforcement: 'off' }],
  ['binding: must be one of required, accepted; did you mean required?', { ...good, binding: 'requird' }],
  ['pseudonymKey: must be a Uint8Array, not a string', { ...good, pseudonymKey: 'x'.repeat(32) }],
  ['pseudonymKey: must have at least 32 bytes', { ...good, pseudonymKey: new Uint8Array(31) }],
  ['log: must be a function, not a string', { ...good, log: 'stderr' }],
  [
    "rules: must be an object of directives by schema coordinate, such as { 'Query.balance': { requiresScope: { scope: 'accounts:read' } } }, not a list",
    { ...good, rules: [] },
  ],
  ['rule: is not an option; did you mean rules?', { ...good, rule: {} }],
  ['typeDefs: is an option of buildProtectedSubgraph', { ...good, typeDefs: '' }],
  ['resolvers: is an option of buildProtectedSubgraph', { ...good, resolvers: {} }],
  ['transform: is an option of buildProtectedSubgraph', { ...good, transform: () => undefined }],
])('protectSchema says what is wrong: %s', (message, options) => {
  expect(() => protect(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS', message }));
});

it.each([
  ['resolvers: is missing', { resolvers: undefined }],
  ['transform: must be a function, not an object', { transform: {} }],
  [
    "typeDefs: must be SDL, or a document that graphql parsed, or a list of them, not a Buffer; read the file as 'utf8'",
    { typeDefs: Buffer.from(SDL) },
  ],
  [
    'typeDefs: must be SDL, or a document that graphql parsed, or a list of them, not a number',
    { typeDefs: 5 },
  ],
  [
    'typeDefs: must be SDL, or a document that graphql parsed, or a list of them, not a number, at place 2 of the list',
    { typeDefs: [SDL, 5] },
  ],
  ...[
    './schema.graphql',
    '/srv/people/schema.graphqls',
    'schema.gql',
    'my people/schema.graphql',
    'C:\\people.graphql',
  ].map((typeDefs): [string, object] => [
    "typeDefs: must be SDL, not the path of a file; read the file as 'utf8'",
    { typeDefs },
  ]),
  [
    'typeDefs: Syntax Error: Expected ":", found <EOF>.\n\ntypeDefs:1:15\n1 | type Query { a\n  |               ^',
    { typeDefs: 'type Query { a' },
  ],
  ['rules: is an option of protectSchema; here, write rules as directives in typeDefs', { rules: {} }],
])('buildProtectedSubgraph says what is wrong: %s', (message, more) => {
  expect(() => build(more)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS', message }));
});

it('knows every option of both functions', () => {
  const own = { typeDefs: SDL, resolvers: {}, transform: undefined };
  const shared: Required<{ [Key in keyof Omit<ProtectSchemaOptions, 'rules'>]: unknown }> = {
    name: 1,
    gateway: 1,
    coverage: 1,
    enforcement: 1,
    fieldResolver: 1,
    subscribeFieldResolver: 1,
    pseudonymKey: 1,
    formerPseudonymKeys: 1,
    passOn: 1,
    revocationSignal: 1,
    log: 1,
    onRefusedToken: 1,
    binding: 1,
    replay: 1,
    clock: 1,
  };
  expect(Object.keys(SCHEMA_OPTIONS).sort()).toEqual([...Object.keys(shared), 'rules'].sort());
  expect(Object.keys(SUBGRAPH_OPTIONS).sort()).toEqual([...Object.keys(shared), ...Object.keys(own)].sort());
});

it.each<[string, object]>([
  ['keys', { gateway: { issuer: 'x', keys: [verifying], jwksUri: undefined } }],
  ['an address', { gateway: { ...gateway, keys: undefined } }],
  ['plain HTTP on this machine', { gateway: { issuer: 'x', jwksUri: 'http://127.0.0.1:4000/jwks' } }],
  ['plain HTTP at localhost', { gateway: { issuer: 'x', jwksUri: 'http://localhost:4000/jwks' } }],
  [
    'plain HTTP elsewhere, if an option says so',
    {
      gateway: { issuer: 'x', jwksUri: 'http://gateway:4000/jwks', allowInsecureGateway: true },
      passOn: { endpoint: 'http://gateway:4000/txn-token', secret: 's' },
    },
  ],
  ['a private key to pass on', { passOn: { endpoint: ENDPOINT, privateKey: signing, timeoutMs: 500 } }],
  ['a store of used tokens', { replay: new InMemoryReplay() }],
  ['rules without a prototype', { rules: Object.assign(Object.create(null) as object, {}) }],
])('protectSchema accepts %s', (_what, more) => {
  expect(() => protect({ ...good, coverage: 'open', ...more })).not.toThrow();
});

it.each<[string, unknown[]]>([
  ['the audience', ['', gateway]],
  ['gateway', ['ledger', undefined]],
  ['gateway', ['ledger', { issuer: 'x' }]],
  ['gateway.jwksUri', ['ledger', { issuer: 'x', jwksUri: 'http://gateway.example' }]],
  ['gateway.keys', ['ledger', { issuer: 'x', keys: [] }]],
  ['the options', ['ledger', gateway, null]],
  ['bindng', ['ledger', gateway, { bindng: 'required' }]],
  ['binding', ['ledger', gateway, { binding: 'requird' }]],
  ['replay', ['ledger', gateway, { replay: new Map() }]],
])('createTxnTokenVerifier refuses a wrong or unknown argument and names it: %s', (key, args) => {
  expect(() => createTxnTokenVerifier(...(args as Parameters<typeof createTxnTokenVerifier>))).toThrow(
    refusal(key),
  );
});

it.each([{ gateway: { issuer: 'x' } }, { passOn: { endpoint: ENDPOINT } }])(
  'a schema whose options are refused stays as it was: %j',
  (wrong) => {
    const schema = buildSchema('type Query { a: String }');
    expect(() => protectSchema(schema, { ...good, ...wrong } as ProtectSchemaOptions)).toThrow();
    expect(schema.getQueryType()?.getFields().a?.resolve).toBeUndefined();
  },
);

it('an undefined option counts as absent', () => {
  expect(() => protect({ ...good, coverage: undefined, log: undefined })).not.toThrow();
});

it('logs why a transaction token was refused, once a minute for each reason', async () => {
  const log = vi.fn();
  const schema = protect({ ...good, log });
  for (const token of ['forged', 'forged again']) await protectedContext(schema, { 'txn-token': token });
  await protectedContext(schema, {});
  expect(log.mock.calls).toEqual([
    [
      'TXN_TOKEN_REFUSED',
      { subgraph: 'people', reason: expect.stringMatching(/^TXN_TOKEN_/) as string, count: 1 },
    ],
  ]);
});
