import { expect, it } from 'vitest';
import { type ConsentSubgraphOptions, startConsentSubgraph } from '../../subgraphs/consent/index.js';
import { checkOptions } from '../../subgraphs/consent/check-options.js';

const base: ConsentSubgraphOptions = {
  // Nothing listens there: what is accepted would end in another error.
  databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
  gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
};
const { NaN: notANumber } = Number;

const WRONG: Readonly<Record<keyof ConsentSubgraphOptions, readonly unknown[]>> = {
  databaseUrl: [undefined, null, '', 5, 'mysql://db.example/x'],
  auditDatabaseUrl: [null, '', 5, 'file:///log'],
  gateway: [undefined, null, 'https://gateway.example', [], { issuer: 'https://gateway.example' }],
  host: [5, '', null],
  port: ['4014', -1, 1.5, 65_536, notANumber, null],
  introspection: ['true', 1, null],
  shutdown: ['x', [], null],
  log: [true, {}, 'info', null],
};
const MORE: readonly (readonly [string, unknown])[] = [
  ...[undefined, null, 5, [], new Map()].map((given) => ['the options', given] as const),
  ['prt', { ...base, prt: 1 }],
  ['"shutdown.drainMs"', { ...base, 'shutdown.drainMs': 1 }],
  ['shutdown.notReadyMs', { ...base, shutdown: { notReadyMs: -1 } }],
  ['shutdown.drainMs', { ...base, shutdown: { drainMs: notANumber } }],
  ['shutdown.drain', { ...base, shutdown: { drain: 5 } }],
  ['gateway.isuer', { ...base, gateway: { ...base.gateway, isuer: 'x' } }],
  ['gateway.jwksUri', { ...base, gateway: { ...base.gateway, jwksUri: 'http://gateway.example/jwks' } }],
];
const EACH = Object.entries(WRONG).flatMap(([key, values]) =>
  values.map((value): readonly [string, unknown] => [key, { ...base, [key]: value }]),
);

it.each([...EACH, ...MORE])('a consent subgraph is refused for a wrong %s: %o', async (key, options) => {
  const attempt = startConsentSubgraph(options as never);
  await expect(attempt).rejects.toMatchObject({ name: 'DirectiveError', code: 'INVALID_OPTIONS' });
  await expect(attempt).rejects.toThrow(new RegExp(`^${key}\\b|^"`));
});

it('the key that was probably meant is named', async () => {
  const attempt = startConsentSubgraph({ ...base, prt: 1 } as never);
  await expect(attempt).rejects.toThrow('prt: is not an option; did you mean port?');
});

it('a consent subgraph accepts every option, and undefined for one that is not given', () => {
  const all: ConsentSubgraphOptions = {
    ...base,
    auditDatabaseUrl: 'postgres://reader@db.example/behalf',
    host: '::1',
    port: 0,
    introspection: false,
    shutdown: { notReadyMs: 0, drainMs: 0 },
    log: console,
  };
  expect(Object.keys(all).sort()).toEqual(Object.keys(WRONG).sort());
  expect(() => checkOptions(all)).not.toThrow();
  for (const key of Object.keys(WRONG).filter((name) => !Object.hasOwn(base, name)))
    expect(() => checkOptions({ ...all, [key]: undefined })).not.toThrow();
});
