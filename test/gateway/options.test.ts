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
  ])('stop the construction and name the key: %s', (path, more, words) => {
    const error = errorOf(more);
    expect(error.path).toBe(path);
    expect(error.message).toContain(words);
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
