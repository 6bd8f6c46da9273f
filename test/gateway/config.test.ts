import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, ConfigurationError, readConfig, startGateway } from '../../gateway/index.js';
import schema from '../../gateway/options/schema.json' with { type: 'json' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const issuer = { issuer: 'https://issuer.example', audience: 'https://api.example' };
const least = { supergraph: 'supergraph.graphql', issuers: [issuer] };

function errorOf(config: unknown): ConfigurationError {
  try {
    checkConfig(config);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('checkConfig', () => {
  it('accepts the minimum, and everything that the schema describes', () => {
    expect(checkConfig(least)).toMatchObject({ ...least, listen: { host: '127.0.0.1', port: 4000 } });
    checkConfig({
      listen: {
        host: '127.0.0.1',
        port: 0,
        tls: { certFile: 'c.pem', keyFile: 'k.pem', requestClientCertificate: true, clientCaFile: 'ca.pem' },
      },
      externalUrl: 'https://api.example/v1',
      proxies: { addresses: ['10.0.0.1', 'fd00::/8'], clientCertificate: true, forwardedFor: true },
      dpop: {
        required: [issuer.issuer],
        algorithms: ['ES256'],
        nonce: 'required',
        nonceKey: 'a'.repeat(43),
        proofLifetimeSeconds: 30,
        replay: 'database',
        database: 'postgres://x',
        maxReplayEntries: 5,
      },
      supergraph: 's.graphql',
      issuers: [
        {
          ...issuer,
          jwksUri: 'https://issuer.example/keys',
          algorithms: ['ES256'],
          tokenTypes: ['at+jwt', 'JWT'],
          claims: { scopes: 'scp', policies: 'p', roles: 'r', clientId: 'azp' },
          allowInsecureIssuer: false,
        },
        {
          issuer: 'https://other.example',
          audience: 'a',
          namespace: 'other',
          claims: {
            scopes: [
              { from: ['a', 'b'], prefix: 'p:' },
              { from: 'scp', rename: { A: 'a' } },
            ],
            roles: ['realm_access', 'roles'],
            subject: 'oid',
            service: { from: 'idtyp', is: 'app' },
            required: [{ from: 'typ' }],
          },
          introspection: {
            endpoint: 'https://other.example/introspect',
            clientId: 'g',
            privateKeyFile: 'key.json',
            cacheMs: 1,
            negativeCacheMs: 1,
            timeoutMs: 1,
          },
        },
      ],
      authorization: { mode: 'reject', anonymous: 'refuse', coverage: 'required', maxPathsPerSelection: 5 },
      introspection: 'off',
      propagation: {
        issuer: 'http://gateway.example',
        tokenLifetimeSeconds: 30,
        keyFile: 'key.json',
        bind: 'body',
        passOn: {
          maxHops: 1,
          workloads: [
            { name: 'people', secret: 's'.repeat(32), audiences: ['ledger'], carries: { scopes: ['a'] } },
          ],
          services: { ledger: { scopes: ['a'], policies: ['p'], purposes: ['u'], roles: ['r'] } },
        },
      },
      revocation: {
        streams: [{ issuer: issuer.issuer, secret: 's', configurationUri: 'https://issuer.example/ssf' }],
        maxStalenessMs: 1_000,
        maxTokenLifetimeSeconds: 600,
        maxEntries: 5,
      },
      subgraphs: {
        people: {
          url: 'http://127.0.0.1:1/graphql',
          timeoutMs: 5,
          roles: ['administrator'],
          headers: { 'x-user-id': { from: 'subject' }, authorization: { value: 'Basic abc' } },
          forwardHeaders: ['accept-language'],
        },
      },
      audit: { mode: 'required', file: 'audit.jsonl', pseudonymKey: 'a'.repeat(43) },
      log: { level: 'warn' },
    });
  });

  it.each<[string, unknown]>([
    ['', null],
    ['', []],
    ['supergraph', { issuers: [issuer] }],
    ['issuers', { supergraph: 's' }],
    ['issuers', { ...least, issuers: [] }],
    ['issuers[0].audience', { ...least, issuers: [{ issuer: 'https://issuer.example' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'no address' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'http://issuer.example' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'http://127.evil.example' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'http://localhost.evil.example' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'ftp://127.0.0.1' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'https://issuer.example?tenant=a' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'https://issuer.example/?' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'https://issuer.example#a' }] }],
    ['issuers[0].issuer', { ...least, issuers: [{ ...issuer, issuer: 'http://127.0.0.1:1/#' }] }],
    ['issuers[0].jwksUri', { ...least, issuers: [{ ...issuer, jwksUri: 'http://issuer.example/jwks' }] }],
    ['issuers[1].issuer', { ...least, issuers: [issuer, issuer] }],
    ['issuers[0].algorithms[1]', { ...least, issuers: [{ ...issuer, algorithms: ['ES256', 'HS256'] }] }],
    ['issuers[0].algorithms[0]', { ...least, issuers: [{ ...issuer, algorithms: ['none'] }] }],
    ['issuers[0].algorithms', { ...least, issuers: [{ ...issuer, algorithms: [] }] }],
    ['issuers[0].claims.scope', { ...least, issuers: [{ ...issuer, claims: { scope: 'x' } }] }],
    ['listen.port', { ...least, listen: { port: 65_536 } }],
    ['listen.port', { ...least, listen: { port: '4000' } }],
    ['listen.tls.keyFile', { ...least, listen: { tls: { certFile: 'c' } } }],
    [
      'listen.tls.clientCaFile',
      { ...least, listen: { tls: { certFile: 'c', keyFile: 'k', clientCaFile: 'a' } } },
    ],
    ['externalUrl', { ...least, externalUrl: 'api.example' }],
    ['externalUrl', { ...least, externalUrl: 'ftp://api.example' }],
    ['externalUrl', { ...least, externalUrl: 'https://api.example/?x' }],
    ['externalUrl', { ...least, externalUrl: 'https://user@api.example' }],
    ['proxies.addresses', { ...least, proxies: {} }],
    ['proxies.addresses[1]', { ...least, proxies: { addresses: ['::1', 'proxy.example'] } }],
    ['dpop.algorithms[0]', { ...least, dpop: { algorithms: ['HS256'] } }],
    ['dpop.algorithms[1]', { ...least, dpop: { algorithms: ['ES256', 'none'] } }],
    ['dpop.required[0]', { ...least, dpop: { required: ['https://other.example'] } }],
    ['dpop.required', { ...least, dpop: { required: 'yes' } }],
    ['dpop.proofLifetimeSeconds', { ...least, dpop: { proofLifetimeSeconds: 301 } }],
    ['dpop', { ...least, dpop: { replay: 'database' } }],
    ['dpop.database', { ...least, dpop: { database: 'postgres://x' } }],
    ['dpop.nonceKey', { ...least, dpop: { nonceKey: 'a'.repeat(43) } }],
    ['dpop.nonceKey', { ...least, dpop: { nonce: 'required', nonceKey: '!'.repeat(43) } }],
    ['authorization.mode', { ...least, authorization: { mode: 'Filter' } }],
    ['authorization.anonymous', { ...least, authorization: { anonymous: true } }],
    ['introspection', { ...least, introspection: true }],
    ['propagation.tokenLifetimeSeconds', { ...least, propagation: { tokenLifetimeSeconds: 61 } }],
    ['revocation.streams', { ...least, revocation: {} }],
    ['revocation.streams[0].secret', { ...least, revocation: { streams: [{ issuer: issuer.issuer }] } }],
    [
      'revocation.streams[0].issuer',
      { ...least, revocation: { streams: [{ issuer: 'https://other.example', secret: 's' }] } },
    ],
    [
      'revocation.streams[1].issuer',
      {
        ...least,
        revocation: {
          streams: [
            { issuer: issuer.issuer, secret: 's' },
            { issuer: issuer.issuer, secret: 't' },
          ],
        },
      },
    ],
    [
      'revocation.streams[0].configurationUri',
      {
        ...least,
        revocation: {
          streams: [{ issuer: issuer.issuer, secret: 's', configurationUri: 'http://issuer.example/ssf' }],
        },
      },
    ],
    ['issuers[0].claims.scopes', { ...least, issuers: [{ ...issuer, claims: { scopes: 7 } }] }],
    ['issuers[0].claims.roles[1]', { ...least, issuers: [{ ...issuer, claims: { roles: ['a', 7] } }] }],
    [
      'issuers[0].claims.roles[0].to',
      { ...least, issuers: [{ ...issuer, claims: { roles: [{ from: 'a', to: 'b' }] } }] },
    ],
    ['issuers[0].namespace', { ...least, issuers: [{ ...issuer, namespace: 'A:b' }] }],
    ['propagation.bind', { ...least, propagation: { bind: 'header' } }],
    ['subgraphs.people.roles', { ...least, subgraphs: { people: { roles: 'administrator' } } }],
    ['subgraphs.people.url', { ...least, subgraphs: { people: { url: 'nowhere' } } }],
    ['subgraphs.pe/op~le.url', { ...least, subgraphs: { 'pe/op~le': { url: 'nowhere' } } }],
    [
      'subgraphs.people.headers.x-user-id.from',
      { ...least, subgraphs: { people: { headers: { 'x-user-id': { from: 'email' } } } } },
    ],
    [
      'subgraphs.people.forwardHeaders[0]',
      { ...least, subgraphs: { people: { forwardHeaders: ['Authorization'] } } },
    ],
    ['audit', { ...least, audit: {} }],
    ['audit', { ...least, audit: { mode: 'required' } }],
    ['audit.file', { ...least, audit: { file: 'f', database: 'postgres://x' } }],
    ['audit.pseudonymKey', { ...least, audit: { file: 'f', pseudonymKey: 'short' } }],
    ['audit.pseudonymKey', { ...least, audit: { file: 'f', pseudonymKey: '!'.repeat(43) } }],
    ['log.level', { ...least, log: { level: 'verbose' } }],
    ['autorization', { ...least, autorization: { mode: 'reject' } }],
    ['authorization.modus', { ...least, authorization: { modus: 'reject' } }],
    [
      'revocation.streams[0].token',
      { ...least, revocation: { streams: [{ issuer: 'x', secret: 's', token: 't' }] } },
    ],
  ])('names the key: %s', (path, config) => {
    const error = errorOf(config);
    expect(error.path).toBe(path);
    expect(error.message.startsWith(path)).toBe(true);
    expect(error.code).toBe('CONFIGURATION');
  });

  it.each([
    'https://other.example',
    'http://other.example',
    'ftp://other.example',
    'https://issuer.example/',
  ])('says that the issuer of a stream is not listed: %s', (name) => {
    const revocation = {
      streams: [
        { issuer: issuer.issuer, secret: 's' },
        { issuer: name, secret: 's' },
      ],
    };
    expect(errorOf({ ...least, revocation }).message).toBe(
      'revocation.streams[1].issuer: is not one of the issuers',
    );
  });

  it('says that an issuer has no query and no fragment', () => {
    for (const name of ['https://issuer.example?a', 'https://issuer.example#a'])
      expect(errorOf({ ...least, issuers: [{ ...issuer, issuer: name }] }).message).toBe(
        'issuers[0].issuer: must have no query and no fragment (RFC 8414 section 2)',
      );
  });

  it('allows plain HTTP on this machine, elsewhere only with the insecure option', () => {
    for (const address of [
      'http://127.0.0.1:4001',
      'http://localhost:1',
      'http://[::1]:1',
      'http://127.9.8.7',
    ]) {
      checkConfig({ ...least, issuers: [{ ...issuer, issuer: address }] });
    }
    checkConfig({
      ...least,
      issuers: [{ ...issuer, issuer: 'http://issuer.example', allowInsecureIssuer: true }],
    });
  });

  it('has a schema that is valid JSON Schema and describes no key twice', () => {
    const ajv = new Ajv({ strict: false });
    expect(ajv.validateSchema(schema)).toBe(true);
    expect(schema.additionalProperties).toBe(false);
  });
});

describe('startGateway', () => {
  const starting = (...given: unknown[]): Promise<unknown> =>
    startGateway(...(given as Parameters<typeof startGateway>));

  it.each<[unknown, string]>([
    [undefined, 'not undefined'],
    [null, 'not null'],
    ['gateway.yaml', 'not a string'],
    [[], 'not a list'],
    [new Map(), 'not a Map'],
    [Promise.resolve(least), 'not a Promise'],
  ])('says what the configuration must be: %s', async (given, words) => {
    await expect(starting(given)).rejects.toThrow(`the configuration must be an object, ${words}`);
  });

  it.each<[string, unknown]>([
    ['', null],
    ['', new Map()],
    ['polices', { polices: {} }],
    ['policies', { policies: new Map() }],
    ['policies', { policies: { vip: true } }],
    ['log', { log: console.log }],
    ['clock', { clock: Date }],
    ['onRevokation', { onRevokation: () => undefined }],
  ])('refuses what else it cannot use, and names it: %s', async (path, overrides) => {
    await expect(starting(least, overrides)).rejects.toMatchObject({ name: 'ConfigurationError', path });
  });

  it.each<[string, object]>([
    ['shutdown', { shutdown: new Map([['drainMs', 1]]) }],
    ['http.batch', { http: { batch: new Date() } }],
    ['issuers[0].claims', { issuers: [{ ...issuer, claims: Object.create({ scopes: 'scp' }) as object }] }],
  ])('takes plain objects only: %s', (path, more) => {
    expect(errorOf({ ...least, ...more })).toMatchObject({ path });
  });
});

describe('readConfig', () => {
  async function read(text: string, environment: Record<string, string> = {}) {
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, text);
    return readConfig(file, environment);
  }
  const yaml =
    'supergraph: sub/supergraph.graphql\nissuers:\n  - { issuer: "https://i.example", audience: a }\n';

  it('resolves paths relative to the file', async () => {
    const config = await read(`${yaml}propagation: { keyFile: key.json }\naudit: { file: ../audit.jsonl }\n`);
    expect(config.supergraph).toBe(join(folder, 'sub/supergraph.graphql'));
    expect(config.propagation.keyFile).toBe(join(folder, 'key.json'));
    expect(config.audit?.file).toBe(join(folder, '../audit.jsonl'));
    expect((await read(yaml.replace('sub/', '/abs/'))).supergraph).toBe('/abs/supergraph.graphql');
  });

  it('resolves TLS files relative to the file, too', async () => {
    const config = await read(
      `${yaml}listen: { tls: { certFile: c.pem, keyFile: /k.pem, requestClientCertificate: true, clientCaFile: ca.pem } }\n`,
    );
    expect(config.listen.tls).toEqual({
      certFile: join(folder, 'c.pem'),
      keyFile: '/k.pem',
      requestClientCertificate: true,
      clientCaFile: join(folder, 'ca.pem'),
    });
  });

  it('has the Prometheus listener at its own key, not below an issuer’s claims', async () => {
    const { metrics } = await read(`${yaml}metrics: { listen: { port: 9464 } }\n`);
    expect(metrics).toEqual({ listen: { host: '127.0.0.1', port: 9464 } });
  });

  describe('a number or a boolean that is one variable', () => {
    const NUMBERS = `${yaml}listen: { port: '\${PORT}' }
http: { get: '\${GET}', batch: { maxOperations: '\${BATCH}' } }
dpop: { required: '\${REQUIRED}' }
subgraphs: { people.v2: { timeoutMs: '\${TIMEOUT}' } }
`;
    const set = { PORT: '4001', GET: 'true', BATCH: '7', REQUIRED: 'false', TIMEOUT: '500' };

    it('is filled from the environment', async () => {
      const config = await read(NUMBERS, set);
      expect(config.listen.port).toBe(4_001);
      expect(config.http).toMatchObject({ get: true, batch: { maxOperations: 7 } });
      expect(config.dpop.required).toBe(false);
      expect(config.subgraphs).toMatchObject({ 'people.v2': { timeoutMs: 500 } });
      const insecure = yaml.replace('audience: a', "audience: a, allowInsecureIssuer: '${X}'");
      expect((await read(insecure, { X: 'true' })).issuers[0]?.allowInsecureIssuer).toBe(true);
    });

    it.each([
      [
        'listen.port',
        'PORT',
        'a whole number',
        ['', '4e3', '4000.0', '04000', '0x1f', ' 4000', '4000;', '"4000"', 'hunter2'],
      ],
      ['http.get', 'GET', 'true or false', ['', 'yes', '1', 'True', 'TRUE', 'true ', '"true"', 'null']],
      ['http.batch.maxOperations', 'BATCH', 'a whole number', ['ten', 'Infinity', '[]']],
      ['dpop.required', 'REQUIRED', 'true or false', ['https://issuer.example']],
      ['subgraphs."people.v2".timeoutMs', 'TIMEOUT', 'a whole number', ['5s', 'true']],
    ])('must be exactly such a value: %s', async (path, name, words, texts) => {
      for (const text of texts)
        await expect(read(NUMBERS, { ...set, [name]: text })).rejects.toMatchObject({
          path,
          message: `${path}: must be ${words}; the environment's ${name} is not`,
        });
      const { [name]: _left, ...others } = set as Record<string, string>;
      await expect(read(NUMBERS, others)).rejects.toMatchObject({
        message: `${path}: the environment has no ${name}`,
      });
    });

    it('must be in its range, and one variable alone', async () => {
      await expect(read(NUMBERS, { ...set, PORT: '65536' })).rejects.toMatchObject({ path: 'listen.port' });
      for (const value of ['4${X}', '${X}${X}', ' ${X}'])
        await expect(read(`${yaml}listen: { port: '${value}' }\n`, { X: '1' })).rejects.toMatchObject({
          path: 'listen.port',
        });
    });

    it('stays text where text belongs', async () => {
      const { issuers } = await read(yaml.replace('audience: a', "audience: '${A}'"), { A: '7' });
      expect(issuers[0]?.audience).toBe('7');
    });
  });

  it('fills in the environment after parsing, so that a value stays a value', async () => {
    const streams = 'revocation:\n  streams:\n    - { issuer: "https://i.example", secret: "a${S}b" }\n';
    const secret = '",x:${S}#}-y:[';
    const config = await read(yaml + streams, { S: secret });
    expect(config.revocation?.streams[0]?.secret).toBe(`a${secret}b`);
    await expect(read(yaml + streams)).rejects.toMatchObject({
      path: 'revocation.streams[0].secret',
      message: 'revocation.streams[0].secret: the environment has no S',
    });
    await expect(read(yaml + streams, { constructor: 'x' })).rejects.toThrow('has no S');
    await expect(read(yaml + streams.replace('${S}', '${constructor}'))).rejects.toThrow(
      'has no constructor',
    );
  });

  it('names the file that cannot be read, or the place of a YAML error', async () => {
    const none = join(folder, 'none.yaml');
    await expect(readConfig(none)).rejects.toThrow(`${none} cannot be read: there is no such file (ENOENT)`);
    await expect(readConfig(folder)).rejects.toThrow('cannot be read: it is a folder (EISDIR)');
    for (const text of ['a: [', 'a: 1\na: 2', '\tx: 1', 'a: *none']) {
      const refusal = await read(text).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ConfigurationError);
      expect((refusal as Error).message).toContain('gateway.yaml');
    }
    await expect(read('')).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('refuses a file that expands without end', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    await expect(read(lines.join('\n'))).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('reads which subgraph errors may pass, and refuses invalid codes', async () => {
    const yaml = 'supergraph: s.graphql\nissuers: [{ issuer: https://a.example, audience: x }]\n';
    const config = await read(
      `${yaml}subgraphErrors: { passMessagesOf: [LOCKED] }\nauthorization: { maxErrors: 5 }`,
    );
    expect(config).toMatchObject({
      subgraphErrors: { passMessagesOf: ['LOCKED'] },
      authorization: { maxErrors: 5 },
    });
    for (const [rest, path] of [
      ['subgraphErrors: { passMessagesOf: ["*"] }', 'subgraphErrors.passMessagesOf[0]'],
      ['subgraphErrors: { passMessagesOf: LOCKED }', 'subgraphErrors.passMessagesOf'],
      ['subgraphErrors: { allowInsecureLogMessages: "true" }', 'subgraphErrors.allowInsecureLogMessages'],
      ['subgraphErrors: { redact: false }', 'subgraphErrors.redact'],
      ['authorization: { maxErrors: 0 }', 'authorization.maxErrors'],
    ])
      await expect(read(`${yaml}${rest}`)).rejects.toMatchObject({ code: 'CONFIGURATION', path });
  });
});
