import { systemClock } from '../../directives/src/clock.js';
import { buildSchema } from 'graphql';
import { expect, it, vi } from 'vitest';
import { buildProtectedSubgraph, protectedContext, protectSchema } from '../../directives/src/index.js';
import type { ProtectSchemaOptions } from '../../directives/src/index.js';
import { SCHEMA_OPTIONS, SUBGRAPH_OPTIONS } from '../../directives/src/enforce/check-options.js';

const gateway = { issuer: 'https://gateway.example', keys: [] };
const good = { name: 'people', gateway };

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
  ['gateway', { ...good, gateway: { ...gateway, jwksUri: 'https://gateway.example/jwks' } }],
  ['gateway.issuer', { ...good, gateway: { keys: [] } }],
  ['gateway.jwksUri', { ...good, gateway: { issuer: 'x', jwksUri: '/jwks' } }],
  ['gateway.jwksUri', { ...good, gateway: { issuer: 'x', jwksUri: 7 } }],
  ['gateway.keys', { ...good, gateway: { issuer: 'x', keys: 'key' } }],
  ['gateway.algs', { ...good, gateway: { ...gateway, algs: ['none'] } }],
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
  ['passOn', { ...good, passOn: 'https://gateway.example/txn-token' }],
])('protectSchema refuses a wrong or unknown option and names it: %s', (key, options) => {
  expect(() => protect(options)).toThrow(refusal(key));
});

it.each([
  ['resolver', { resolver: {} }],
  ['resolvers', { resolvers: undefined }],
  ['typeDefs', { typeDefs: undefined }],
  ['transform', { transform: {} }],
  ['rules', { rules: {} }],
])('buildProtectedSubgraph refuses a wrong or unknown option and names it: %s', (key, more) => {
  expect(() => build(more)).toThrow(refusal(key));
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
