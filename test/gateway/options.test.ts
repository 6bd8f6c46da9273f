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
  ])('stop the construction and name the key: %s', (path, more, words) => {
    const error = errorOf(more);
    expect(error.path).toBe(path);
    expect(error.message).toContain(words);
  });

  it('suggest no algorithm in place of another', () => {
    const { message } = errorOf({ issuers: [{ ...least.issuers[0], algorithms: ['HS256'] }] });
    expect(message).not.toContain('did you mean');
  });

  it('list the keys that there are when none is close', () => {
    const { message } = errorOf({ policies: { vip: () => true } });
    expect(message).toMatch(/the keys are .*functions|the keys are .*evaluators|the keys are cedar/);
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
    ['buildService', { supergraphSdl: 'x', buildService: () => undefined }, 'go past'],
    ['debug', { supergraphSdl: 'x', debug: true }, 'into the log'],
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
