import { generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { expect, describe, it } from 'vitest';
import { ConfigurationError, protectGateway, silentLog } from '../../gateway/index.js';
import type { ProtectionOptions } from '../../gateway/index.js';
import { normalizeOptions } from '../../gateway/options/normalize.js';
import { stackFrames } from '../../gateway/stack-frames.js';
import { checkPolicy } from '../../policy/index.js';
import { TestLog } from './support.js';

const least: ProtectionOptions = {
  issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example' }],
  propagation: { issuer: 'https://gateway.example' },
  log: silentLog,
};

const ignore = (): undefined => undefined;

const streamsWith = (more: object): object => ({
  streams: [{ issuer: 'https://issuer.example', secret: 'sesame', ...more }],
});

const goodPolicy = checkPolicy({
  scopes: { a: { sentence: 'See it', access: 'read', sensitivity: 'low' } },
});
const jwkOf = (key: KeyObject): JsonWebKey => key.export({ format: 'jwk' });
const publicKey = jwkOf(generateKeyPairSync('ed25519').publicKey);
const ecKey = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
const sharedSecret = { kty: 'oct', k: 'a'.repeat(43) };

const introspecting = (privateKey: object): object => ({
  issuers: [
    {
      ...least.issuers[0],
      introspection: { endpoint: 'https://issuer.example/introspect', clientId: 'gateway', privateKey },
    },
  ],
});

class Subgraphs {
  readonly people = {};
}

function circular(): object {
  const a: Record<string, unknown> = {};
  a.itself = a;
  return { a };
}

function circularList(): object {
  const list: unknown[] = [];
  list.push(list);
  return { list };
}

/** As a JavaScript caller passes them. */
function errorOf(more: object): ConfigurationError {
  try {
    protectGateway({ supergraphSdl: 'x' }, { ...least, ...more });
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('options of the library', () => {
  it('are complete once they are normalized', () => {
    const { log, dpop, ...settings } = normalizeOptions(least);
    expect(log).toBe(silentLog);
    expect(dpop).toMatchObject({ required: false, nonce: 'off', proofLifetimeSeconds: 60 });
    expect(settings).toMatchObject({
      authorization: {
        mode: 'filter',
        anonymous: 'allow',
        coverage: 'open',
        maxPathsPerSelection: 20,
        maxErrors: 1_000,
      },
      introspection: 'authenticated',
      limits: { depth: 20, listSize: 10, cacheMegabytes: 256, planningMs: 100, planInWorker: false },
      propagation: { tokenLifetimeSeconds: 15, bind: 'none' },
      subgraphs: {},
      subgraphErrors: { passMessagesOf: ['BAD_USER_INPUT'], allowInsecureLogMessages: false },
      policies: { evaluators: [], timeoutMs: 1_000 },
      audit: { mode: 'off' },
      revocation: undefined,
    });
  });

  it.each<[string, object, string]>([
    ['authorization.mode', { authorization: { mode: 'filtr' } }, 'did you mean filter?'],
    ['mode', { mode: 'filtr' }, 'did you mean authorization.mode or audit.mode?'],
    ['isuers', { issuers: undefined, isuers: least.issuers }, 'did you mean issuers?'],
    ['issuers', { issuers: undefined }, 'is missing'],
    [
      'issuers[0].audiance',
      { issuers: [{ issuer: 'https://i.example', audiance: 'x' }] },
      'did you mean audience?',
    ],
    [
      'issuers[0].issuer',
      { issuers: [{ issuer: 'http://login.example', audience: 'x' }] },
      'must be an https: address',
    ],
    ['propagation.issuer', { propagation: {} }, 'is missing'],
    ['audit', { audit: { mode: 'required' } }, 'needs "database" or "file"'],
    ['audit.postgres', { audit: { mode: 'required', postgres: 'x' } }, 'is not a known key'],
    ['audit.sink', { audit: { mode: 'required', sink: {} } }, 'must be an audit sink'],
    [
      'audit.pseudonymKey',
      { audit: { file: 'f', pseudonymKey: new Uint8Array(8) } },
      'must be at least 32 bytes',
    ],
    ['policy', { policy: './policy.yaml' }, 'readPolicy'],
    ['policies.vip', { policies: { vip: () => true } }, 'is not a known key'],
    ['policies.functions', { policies: { functions: { vip: true } } }, 'must be functions'],
    ['policies.cedar', { policies: { cedar: './p.cedar' } }, 'cedarEvaluator'],
    [
      'propagation.keyFile',
      { propagation: { issuer: 'https://g.example', keyFile: 'k' } },
      'propagation.key',
    ],
    ['listen', { listen: { port: 1 } }, 'configuration file only'],
    ['dpop.nonceKey', { dpop: { nonceKey: new Uint8Array(32) } }, 'nonce: required only'],
    ['onRevocation', { onRevocation: () => undefined }, 'revocation.streams'],
    ['onConsentChange', { onConsentChange: () => undefined }, 'revocation.streams'],
    ['audit.database', { audit: { mode: 'required', database: 'https://db.example' } }, 'postgres://'],
    ['dpop.database', { dpop: { replay: 'database', database: 'db.example' } }, 'postgres://'],
    ['limits.depht', { limits: { depht: 3 } }, 'did you mean depth?'],
    // A dot in a key is not a step: else its value would be applied, or go unnoticed.
    ['"audit.sink"', { 'audit.sink': { append: ignore, close: ignore } }, 'is not a known key'],
    ['"dpop.replay"', { 'dpop.replay': { claim: ignore, close: ignore } }, 'is not a known key'],
    ['"policies.functions"', { 'policies.functions': { vip: ignore } }, 'is not a known key'],
    ['"policies.cedar"', { 'policies.cedar': './p.cedar' }, 'is not a known key'],
    ['"limits.planInWorker"', { 'limits.planInWorker': true }, 'is not a known key'],
    ['"propagation.key"', { 'propagation.key': {} }, 'is not a known key'],
    ['"authorization.mode"', { 'authorization.mode': 'shadow' }, 'is not a known key'],
    ['"a[0].b"', { 'a[0].b': 1 }, 'is not a known key'],
    ['""', { '': { log: silentLog } }, 'is not a known key'],
    [
      'issuers[0]."introspection.privateKey"',
      { issuers: [{ ...least.issuers[0], 'introspection.privateKey': ecKey }] },
      'is not a known key',
    ],
    ['subgraphs."a.b".url', { subgraphs: { 'a.b': { url: '/graphql' } } }, 'absolute address'],
    ['subgraphs."a.b".adress', { subgraphs: { 'a.b': { adress: 'x' } } }, 'is not a known key'],
    ['subgraphs.a.url', { subgraphs: { a: { url: 'localhost:4001' } } }, 'http: or https:'],
    ['subgraphs.a.url', { subgraphs: { a: { url: 'ftp://a.example' } } }, 'http: or https:'],
    ['subgraphs.a.url', { subgraphs: { a: { url: 'http://me:secret@a.example' } } }, 'user information'],
    ['subgraphs.a.url', { subgraphs: { a: { url: 'http://a.example/#x' } } }, 'fragment'],
    ['subgraphs.a.url', { subgraphs: { a: { url: '/graphql' } } }, 'absolute address'],
    ['subgraphs.a.adress', { subgraphs: { a: { adress: 'http://a.example' } } }, 'is not a known key'],
    ['revocation.streams[0].secret', { revocation: streamsWith({ secret: 'a\nb' }) }, 'printable ASCII'],
    [
      'revocation.maxStalenessMs',
      { revocation: { ...streamsWith({}), maxStalenessMs: Number.POSITIVE_INFINITY } },
      'must be',
    ],
    [
      'issuers[0].algorithms[0]',
      { issuers: [{ ...least.issuers[0], algorithms: ['HS256'] }] },
      'must be one of EdDSA, ES256, PS256, RS256',
    ],
    ['authorization', { authorization: new Map([['mode', 'reject']]) }, 'must be a plain object, not a Map'],
    ['authorization', { authorization: new Date() }, 'must be a plain object, not a Date'],
    [
      'authorization',
      { authorization: Object.create({ mode: 'reject' }) as object },
      'inherits from another one',
    ],
    ['subgraphs.people.headers', { subgraphs: { people: { headers: new Map() } } }, 'not a Map'],
    ['subgraphs', { subgraphs: new Subgraphs() }, 'not a Subgraphs'],
    ['policies.functions', { policies: { functions: new Map() } }, 'must be functions'],
    [
      'policies.functions',
      { policies: { functions: Object.create({ vip: ignore }) as object } },
      'must be functions',
    ],
    ['limits', { limits: new Set() }, 'not a Set'],
    ['propagation', { propagation: new URLSearchParams('issuer=x') }, 'not an URLSearchParams'],
    ['issuers[0]', { issuers: [new Map()] }, 'not a Map'],
    ['policy', { policy: { scopes: new Map() } }, 'readPolicy'],
    ['policy', { policy: { ...goodPolicy, clients: { a: {} } } }, 'readPolicy'],
    ['policy', { policy: { ...goodPolicy, scopes: new Map([['a', null]]) } }, 'readPolicy'],
    ['policy', { policy: { ...goodPolicy, rules: new Map() } }, 'readPolicy'],
    ['propagation.key', { propagation: { ...least.propagation, key: {} } }, 'Ed25519 private key'],
    ['propagation.key', { propagation: { ...least.propagation, key: publicKey } }, 'Ed25519 private key'],
    ['propagation.key', { propagation: { ...least.propagation, key: sharedSecret } }, 'Ed25519 private key'],
    ['propagation.key', { propagation: { ...least.propagation, key: ecKey } }, 'Ed25519 private key'],
    ['issuers[0].introspection.privateKey', introspecting({}), 'private key as JWK'],
    [
      'issuers[0].introspection.privateKey',
      introspecting({ ...publicKey, alg: 'EdDSA' }),
      'private key as JWK',
    ],
    [
      'issuers[0].introspection.privateKey',
      introspecting({ ...sharedSecret, alg: 'HS256' }),
      'private key as JWK',
    ],
    ['issuers[0].introspection.privateKey', introspecting(ecKey), 'with its "alg"'],
    ['issuers[0].introspection.privateKey', introspecting({ ...ecKey, alg: 'RS256' }), 'with its "alg"'],
    ['subgraphs.a.itself', { subgraphs: circular() }, 'contains itself'],
    ['policies.list[0]', { policies: circularList() }, 'contains itself'],
  ])('stop the construction and name the key: %s', (path, more, words) => {
    const error = errorOf(more);
    expect(error.path).toBe(path);
    expect(error.message).toContain(words);
  });

  it('accept data that is used twice, and objects without a prototype', () => {
    const shared = { timeoutMs: 1_000 };
    const bare = Object.assign(Object.create(null) as object, { mode: 'reject' as const });
    const settings = normalizeOptions({ ...least, subgraphs: { a: shared, b: shared }, authorization: bare });
    expect(settings.authorization.mode).toBe('reject');
  });

  it('accept an EdDSA key for token introspection', () => {
    const privateKey = { ...jwkOf(generateKeyPairSync('ed25519').privateKey), alg: 'EdDSA' };
    expect(() => normalizeOptions({ ...least, ...introspecting(privateKey) })).not.toThrow();
  });

  it('refuse what is nested endlessly', () => {
    let deep: object = {};
    for (let level = 0; level < 20_000; level += 1) deep = { deep };
    expect(errorOf({ subgraphs: deep }).message).toContain('is nested too deeply');
  });

  it('suggest no algorithm in place of another', () => {
    const { message } = errorOf({ issuers: [{ ...least.issuers[0], algorithms: ['HS256'] }] });
    expect(message).not.toContain('did you mean');
  });

  it('list the keys that there are when none is close', () => {
    const { message } = errorOf({ policies: { vip: () => true } });
    expect(message).toContain('the keys are timeoutMs, functions, evaluators');
  });

  it('list and suggest only keys that the library accepts', () => {
    const { message } = errorOf({ colour: 1 });
    expect(message).toMatch(/the keys are .*issuers, .*clock.*policy|the keys are .*policy.*clock/);
    for (const key of [
      'listen',
      'supergraph',
      'proxies',
      'cors',
      'shutdown',
      'http',
      'metrics',
      'administration',
    ])
      expect(message).not.toMatch(new RegExp(`[ ,]${key}\\b`));
    expect(errorOf({ listn: {} }).message).not.toContain('did you mean listen');
    expect(errorOf({ propagation: { ...least.propagation, keyFil: 'x' } }).message).not.toContain('keyFile');
    expect(errorOf({ polcy: goodPolicy }).message).toContain('did you mean policy?');
    expect(errorOf({ audit: { file: 'f', snk: new TestLog() } }).message).toContain('did you mean sink?');
    expect(errorOf({ authorisation: new Map() }).message).toContain('did you mean authorization?');
    expect(errorOf({ policies: { evaluater: [] } }).message).toContain('did you mean evaluators?');
    expect(errorOf({ onRevokation: ignore }).message).toContain('did you mean onRevocation?');
  });

  it.each<[string, object, string]>([
    ['a bigint', { timeoutMs: 5n }, 'must be a whole number, not a bigint'],
    ['a symbol', { timeoutMs: Symbol('x') }, 'must be a whole number, not a symbol'],
    ['a boxed number', { timeoutMs: Object(5) as unknown }, 'must be a plain object, not a Number'],
    ['a text', { timeoutMs: '5' }, 'must be a whole number, not a string'],
  ])('say what they got: %s', (_what, policies, words) => {
    expect(errorOf({ policies }).message).toBe(`policies.timeoutMs: ${words}`);
  });

  it('never repeat a value, which may be a secret', () => {
    const { message } = errorOf({ revocation: { streams: [{ issuer: 'hunter2', secret: 'hunter2' }] } });
    expect(message).not.toContain('hunter2');
  });

  it('accept for audit what the configuration file accepts', () => {
    const audit = { mode: 'required', file: 'audit.jsonl', pseudonymKey: 'a'.repeat(43) } as const;
    expect(normalizeOptions({ ...least, audit }).audit).toMatchObject({
      mode: 'required',
      destination: { file: 'audit.jsonl' },
    });
  });

  it('treat an undefined member as absent', () => {
    const more = { authorization: { mode: undefined }, audit: undefined, policy: undefined };
    expect(normalizeOptions({ ...least, ...more }).authorization.mode).toBe('filter');
  });

  it('accept what no file can hold', () => {
    const policy = checkPolicy({ scopes: { a: { sentence: 'See it', access: 'read', sensitivity: 'low' } } });
    const vip = (): boolean => true;
    const settings = normalizeOptions({ ...least, policy, policies: { functions: { vip } } });
    expect(settings.policy).toBe(policy);
    expect(settings.policies.functions[0]?.prepare(new Set(['vip'])).get('vip')).toBe(vip);
  });
});

describe("the configuration of Apollo's gateway", () => {
  it.each<[string, unknown, string]>([
    ['', undefined, 'must be an object'],
    ['', 'type Query { a: Int }', 'must be an object'],
    ['debgu', { supergraphSdl: 'x', debgu: true }, 'did you mean debug?'],
    ['issuers', { supergraphSdl: 'x', issuers: [] }, 'second argument'],
    ['buildService', { supergraphSdl: 'x', buildService: () => undefined }, 'bypasses'],
    ['debug', { supergraphSdl: 'x', debug: true }, 'into the log'],
    ['', null, 'the first argument must be an object, such as { supergraphSdl }, not null'],
    ['', 1, 'not a number'],
    ['', new Map([['supergraphSdl', 'x']]), 'not a Map'],
    ['', Promise.resolve({ supergraphSdl: 'x' }), 'not a Promise'],
    ['supergraphSdl', {}, 'is needed'],
    ['supergraphSdl', { supergraphSdl: Buffer.from('x') }, "not a Buffer; read the file as 'utf8'"],
    ['supergraphSdl', { supergraphSdl: null }, 'not null'],
    ['supergraphSdl', { supergraphSdl: 1 }, 'not a number'],
    ['supergraphSdl', { supergraphSdl: {} }, 'or a supergraph manager'],
    ['supergraphSdl', { supergraphSdl: '' }, 'must not be empty'],
    ['supergraphSdl', { supergraphSdl: ['x'] }, 'not a list'],
    ...[
      './supergraph.graphql',
      '/srv/supergraph.graphql',
      'supergraph.graphql',
      'my gateway/supergraph.sdl',
    ].map((path): [string, unknown, string] => [
      'supergraphSdl',
      { supergraphSdl: path },
      "must be the text of the supergraph, not the path of a file; read the file as 'utf8'",
    ]),
    ['supergraphSdl', { supergraphSdl: 'file:///srv/supergraph.graphql' }, 'not the path of a file'],
    ['supergraphSdl', { supergraphSdl: 'C:\\supergraph.graphql' }, 'not the path of a file'],
    ['supergraphSdl', { supergraphSdl: Promise.resolve('x') }, 'not a Promise; await it'],
    ['supergraphSdl', { supergraphSdl: { initialize: 'x' } }, 'its initialize is a string'],
    ['queryPlannerConfig', { supergraphSdl: 'x', queryPlannerConfig: new Map() }, 'not a Map'],
    [
      'telemetry',
      { supergraphSdl: 'x', telemetry: Object.create({ includeDocument: true }) as object },
      'inherits',
    ],
    ['logger', { supergraphSdl: 'x', logger: { info: ignore } }, 'its debug is not a function'],
    ['fetcher', { supergraphSdl: 'x', fetcher: 'fetch' }, 'must be a function'],
  ])('stops the construction and names the key: %s', (path, config, words) => {
    const attempt = (): unknown => protectGateway(config as never, least);
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(
      expect.objectContaining({ path, message: expect.stringContaining(words) as string }),
    );
  });

  it('may have every other key that Apollo knows', () => {
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const config = { supergraphSdl: 'x', logger, debug: false, queryPlannerConfig: {} };
    expect(() => protectGateway(config, least)).not.toThrow();
  });
});

describe('the start of a gateway', () => {
  it('reports once what is off, and how to turn it on', async () => {
    const log = new TestLog();
    const gateway = protectGateway({ supergraphSdl: 'no supergraph' }, { ...least, log });
    expect(log.codes()).toEqual([]);
    await expect(gateway.load()).rejects.toThrow();
    expect(log.codes()).toEqual(['AUDIT_OFF', 'REVOCATION_OFF']);
    expect(log.of('AUDIT_OFF')[0]?.turnOn).toContain('audit: {');
  });
});

describe('stackFrames', () => {
  function thrower(message: string): Error {
    return new TypeError(message);
  }

  it('has functions, files and lines, and no word of the message', () => {
    const frames = stackFrames(thrower('hunter2\n    at hunter2 (file:///hunter2:1:1)'));
    expect(frames).toMatch(/^thrower \(.*options\.test\.ts:\d+:\d+\) < /);
    expect(frames).not.toContain('hunter2');
  });

  it('is empty if message and frames cannot be separated', () => {
    const changed = thrower('hunter2\n    at hunter2 (file:///hunter2:1:1)');
    // Some runtimes write the stack when it is first read.
    expect(changed.stack).toContain('hunter2');
    changed.message = 'other';
    expect(stackFrames(changed)).toBe('');
    changed.message = '';
    expect(stackFrames(changed)).toBe('');
    expect(stackFrames('hunter2')).toBe('');
  });
});
