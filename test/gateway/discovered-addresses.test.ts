import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { IssuerOptions } from '../../gateway/authenticate/issuers.js';
import { RefusedError } from '../../gateway/errors.js';
import { addressProblem } from '../../http/trusted-address.js';
import { checkConfig } from '../../gateway/index.js';
import { watchRevocations } from '../../revocation/index.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import type { StreamOptions } from '../../revocation/index.js';
import { RevocationView } from '../../revocation/view.js';
import { makeCertificate } from './certificates.js';
import type { Certificate } from './certificates.js';
import { Admission } from './admission.js';
import { AUDIENCE, Cleanup, listen, sendJson, TestIssuer, TestLog, until } from './support.js';
import type { Listening } from './support.js';
import { Transmitter } from '../revocation/transmitter.js';

const cleanup = new Cleanup();
let certificate: Certificate;
beforeAll(async () => {
  certificate = await makeCertificate('issuer');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await cleanup.run();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A TLS server whose certificate nobody checks: the tests are about where the gateway connects. */
async function listenTls(handler: Handler): Promise<string> {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const { pem: cert, keyPem: key } = certificate;
  const server = createServer({ cert, key }, (request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that nobody should call, and the requests that reached it. */
async function trap(answer: (url: string) => object): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const listening: Listening = await listen((request, response) => {
    asked.push(request);
    sendJson(response, 200, answer(listening.url));
  });
  cleanup.add(() => listening.close());
  return { url: listening.url, asked };
}

/**
 * Presents a token of an issuer.
 * @returns why it is refused, or `accepted`
 */
async function show(options: Omit<IssuerOptions, 'audience'>, minter: TestIssuer): Promise<string> {
  const admission = new Admission({
    issuers: [{ audience: AUDIENCE, ...options }],
    propagation: { issuer: 'https://gateway.example' },
  });
  const token = await minter.mint({ iss: options.issuer });
  try {
    await admission.authenticate(token);
    return 'accepted';
  } catch (error) {
    return error instanceof RefusedError ? error.refusal.code : String(error);
  }
}

async function startMinter(): Promise<TestIssuer> {
  const minter = await TestIssuer.start();
  cleanup.add(() => minter.close());
  return minter;
}

describe('the key set named by an issuer’s metadata (RFC 8414)', () => {
  it.each<[string, (http: string) => unknown]>([
    ['plain http on this machine', (http) => `${http}/jwks`],
    ['plain http in another case', (http) => `${http.replace('http', 'HTTP')}/jwks`],
    ['plain http elsewhere', () => 'http://keys.example/jwks'],
    ['a cloud’s metadata service', () => 'http://169.254.169.254/latest/meta-data/'],
    ['a file', () => 'file:///etc/hostname'],
    ['the keys themselves', () => 'data:application/json,{"keys":[]}'],
    ['user information', (http) => `${http.replace('http://', 'https://user:secret@')}/jwks`],
    ['a relative address', () => '/jwks'],
    ['no text', () => ['https://keys.example/jwks']],
  ])('is not requested at %s, if the issuer is https', async (_name, jwksUri) => {
    const minter = await startMinter();
    const http = await trap(() => ({ keys: minter.keys.map(({ publicJwk }) => publicJwk) }));
    const issuer: string = await listenTls((_request, response) =>
      sendJson(response, 200, { issuer, jwks_uri: jwksUri(http.url) }),
    );
    expect(await show({ issuer }, minter)).toBe('ISSUER_KEYS_UNAVAILABLE');
    expect(http.asked).toEqual([]);
  });

  it('is requested at another https host, and at a configured http: address on this machine', async () => {
    const minter = await startMinter();
    const keys = await listenTls((_request, response) =>
      sendJson(response, 200, { keys: minter.keys.map(({ publicJwk }) => publicJwk) }),
    );
    const issuer: string = await listenTls((_request, response) =>
      sendJson(response, 200, { issuer, jwks_uri: `${keys}/jwks` }),
    );
    expect(await show({ issuer }, minter)).toBe('accepted');
    expect(await show({ issuer, jwksUri: `${minter.url}/jwks` }, minter)).toBe('accepted');
  });

  it('is requested over plain http if the issuer’s entry allows it', async () => {
    const minter = await startMinter();
    const issuer: string = await listenTls((_request, response) =>
      sendJson(response, 200, { issuer, jwks_uri: `${minter.url}/jwks` }),
    );
    expect(await show({ issuer, allowInsecureIssuer: true }, minter)).toBe('accepted');
  });

  it.each(['metadata', 'key set'])('is not requested where the %s redirect to', async (redirected) => {
    const minter = await startMinter();
    const elsewhere = await trap((url) => ({
      issuer: 'https://issuer.example',
      jwks_uri: `${url}/jwks`,
      keys: minter.keys.map(({ publicJwk }) => publicJwk),
    }));
    const listening: Listening = await listen((request, response) => {
      if ((request.url === '/jwks') === (redirected === 'key set'))
        response.writeHead(307, { location: `${elsewhere.url}${request.url}` }).end();
      else if (request.url === '/jwks')
        sendJson(response, 200, { keys: minter.keys.map(({ publicJwk }) => publicJwk) });
      else sendJson(response, 200, { issuer: listening.url, jwks_uri: `${listening.url}/jwks` });
    });
    cleanup.add(() => listening.close());
    expect(await show({ issuer: listening.url }, minter)).toBe('ISSUER_KEYS_UNAVAILABLE');
    expect(elsewhere.asked).toEqual([]);
  });

  it.each<[string, (issuer: string) => object]>([
    ['of another issuer', () => ({ issuer: 'https://another.example' })],
    ['of nobody', () => ({ issuer: undefined })],
    ['of an issuer that differs by a slash', (issuer) => ({ issuer: `${issuer}/` })],
    ['of several', (issuer) => ({ issuer: [issuer] })],
    ['that are too large', () => ({ filler: 'x'.repeat(256 * 1024) })],
  ])('is not accepted from metadata %s (section 3.3)', async (_name, more) => {
    const minter = await startMinter();
    const listening: Listening = await listen((_request, response) =>
      sendJson(response, 200, {
        issuer: listening.url,
        jwks_uri: `${minter.url}/jwks`,
        ...more(listening.url),
      }),
    );
    cleanup.add(() => listening.close());
    expect(await show({ issuer: listening.url }, minter)).toBe('ISSUER_KEYS_UNAVAILABLE');
    expect(minter.keyRequests).toBe(0);
  });
});

describe('the secret of a stream', () => {
  async function receive(
    transmitter: Transmitter,
    more: Partial<StreamOptions> = {},
  ): Promise<{ view: RevocationView; reason: () => unknown }> {
    const issuer = transmitter.url;
    const lifetimes = { maxStalenessMs: 60_000, maxTokenLifetimeSeconds: 600 };
    const view = new RevocationView({ issuers: [issuer], ...lifetimes });
    const log = new TestLog();
    const receiver = new SsfReceiver({ issuer, secret: 'bootstrap', ...more }, view, log);
    cleanup.add(() => receiver.close());
    receiver.start();
    const reason = () => log.of('REVOCATION_STREAM_BROKEN')[0]?.reason;
    await until(() => view.isFresh() || reason() !== undefined, 'the view is fresh or the stream broken');
    return { view, reason };
  }

  async function start(): Promise<Transmitter> {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    return transmitter;
  }

  it('is not sent to another host that the metadata name', async () => {
    const [transmitter, thief] = [await start(), await start()];
    transmitter.metadataInstead = { configuration_endpoint: `${thief.url}/streams` };
    const { view, reason } = await receive(transmitter);
    expect(reason()).toBe('ADDRESS_OF_ANOTHER_HOST');
    expect(view.isFresh()).toBe(false);
    expect(thief.authorizations).toEqual([]);
  });

  it('is not sent to another host for polling', async () => {
    const [transmitter, thief] = [await start(), await start()];
    const delivery = { method: 'urn:ietf:rfc:8936', endpoint_url: `${thief.url}/poll/s0` };
    transmitter.streamInstead = { delivery };
    const { view, reason } = await receive(transmitter);
    expect(reason()).toBe('ADDRESS_OF_ANOTHER_HOST');
    expect(view.isFresh()).toBe(false);
    expect(thief.authorizations).toEqual([]);
  });

  it('is sent to a configured host, and to that of configurationUri', async () => {
    const [transmitter, other] = [await start(), await start()];
    other.metadataInstead = { issuer: transmitter.url };
    other.streamInstead = { iss: transmitter.url };
    transmitter.metadataInstead = { configuration_endpoint: `${other.url}/streams` };
    // Either server's events would be accepted; there are none.
    const named = await receive(transmitter, { hosts: [new URL(other.url).host] });
    expect(named.view.isFresh()).toBe(true);
    const configurationUri = `${other.url}/.well-known/ssf-configuration`;
    expect((await receive(transmitter, { configurationUri })).view.isFresh()).toBe(true);
  });

  it.each([
    ['http://elsewhere.example/streams', 'ADDRESS_NOT_TRUSTED'],
    ['ftp://127.0.0.1/streams', 'ADDRESS_NOT_TRUSTED'],
    ['/streams', 'ADDRESS_NOT_TRUSTED'],
    [7, 'METADATA'],
  ])('is not sent to what the metadata name: %s', async (configuration_endpoint, expected) => {
    const transmitter = await start();
    transmitter.metadataInstead = { configuration_endpoint };
    expect((await receive(transmitter)).reason()).toBe(expected);
  });

  it('is not sent where the transmitter redirects to', async () => {
    const thief = await start();
    const listening: Listening = await listen((request, response) => {
      if (request.method === 'POST') response.writeHead(307, { location: `${thief.url}/streams` }).end();
      else
        sendJson(response, 200, {
          issuer: listening.url,
          jwks_uri: `${listening.url}/jwks`,
          configuration_endpoint: `${listening.url}/streams`,
        });
    });
    cleanup.add(() => listening.close());
    const log = new TestLog();
    const lifetimes = { maxStalenessMs: 60_000, maxTokenLifetimeSeconds: 600 };
    const view = new RevocationView({ issuers: [listening.url], ...lifetimes });
    const receiver = new SsfReceiver({ issuer: listening.url, secret: 'bootstrap' }, view, log);
    cleanup.add(() => receiver.close());
    receiver.start();
    await until(() => log.of('REVOCATION_STREAM_BROKEN').length > 0, 'broken');
    expect(log.of('REVOCATION_STREAM_BROKEN')[0]?.reason).toBe('HTTP_307');
    expect(thief.authorizations).toEqual([]);
  });

  it.each(['jwks_uri', 'configuration_endpoint'])(
    'is not sent by a %s over plain http, though on this machine',
    async (name) => {
      const http = await trap(() => ({ keys: [] }));
      const issuer: string = await listenTls((_request, response) =>
        sendJson(response, 200, {
          issuer,
          jwks_uri: `${issuer}/jwks`,
          configuration_endpoint: `${issuer}/streams`,
          [name]: `${http.url}/x`,
        }),
      );
      const log = new TestLog();
      const lifetimes = { maxStalenessMs: 60_000, maxTokenLifetimeSeconds: 600 };
      const view = new RevocationView({ issuers: [issuer], ...lifetimes });
      const receiver = new SsfReceiver({ issuer, secret: 'bootstrap' }, view, log);
      cleanup.add(() => receiver.close());
      receiver.start();
      await until(() => log.of('REVOCATION_STREAM_BROKEN').length > 0, 'broken');
      expect(log.of('REVOCATION_STREAM_BROKEN')[0]?.reason).toBe('ADDRESS_NOT_TRUSTED');
      expect(http.asked).toEqual([]);
    },
  );
});

describe('a configured address', () => {
  const issuer = { issuer: 'https://issuer.example', audience: AUDIENCE };
  const introspection = { clientId: 'gateway', clientSecret: 'secret' };
  const foreign = { deliveryEndpoint: 'https://signals.example/7', audience: 'https://gateway.example' };
  const streams = (more: object) => ({ streams: [{ issuer: issuer.issuer, secret: 's', ...more }] });

  it.each<[string, object, object?]>([
    ['issuers[0].issuer', { ...issuer, issuer: 'http://issuer.example' }],
    ['issuers[0].issuer', { ...issuer, issuer: 'http://127.evil.example' }],
    ['issuers[0].issuer', { ...issuer, issuer: 'https://user@issuer.example' }],
    ['issuers[0].jwksUri', { ...issuer, jwksUri: 'https://:password@issuer.example/jwks' }],
    ['issuers[0].jwksUri', { ...issuer, jwksUri: 'http://issuer.example/jwks' }],
    ['issuers[0].jwksUri', { ...issuer, jwksUri: 'file:///etc/keys.json' }],
    [
      'issuers[0].introspection.endpoint',
      { ...issuer, introspection: { ...introspection, endpoint: 'http://issuer.example/' } },
    ],
    [
      'revocation.streams[0].configurationUri',
      issuer,
      streams({ configurationUri: 'http://issuer.example/' }),
    ],
    ['revocation.streams[0].hosts[0]', issuer, streams({ hosts: ['https://signals.example'] })],
    ['revocation.streams[0].hosts[1]', issuer, streams({ hosts: ['signals.example', 'Signals.example'] })],
    ['revocation.streams[0].hosts[0]', issuer, streams({ hosts: ['signals.example:443'] })],
    ['revocation.streams[0].hosts[0]', issuer, streams({ hosts: ['user@signals.example'] })],
    [
      'revocation.streams[0].foreign.deliveryEndpoint',
      issuer,
      streams({ foreign: { ...foreign, deliveryEndpoint: 'http://signals.example/7' } }),
    ],
    [
      'revocation.streams[0].foreign.jwksUri',
      issuer,
      streams({ foreign: { ...foreign, jwksUri: 'http://signals.example/keys' } }),
    ],
  ])('meets the same rule in a file and in the library: %s', (path, entry, revocation) => {
    const more = revocation === undefined ? {} : { revocation };
    const file = { supergraph: './s.graphql', audit: { mode: 'off' }, issuers: [entry], ...more };
    expect(() => checkConfig(file)).toThrow(path);
    const options = { issuers: [entry], propagation: { issuer: 'https://gateway.example' }, ...more };
    const make = () => new Admission(options as unknown as ConstructorParameters<typeof Admission>[0]);
    expect(make).toThrow(path);
  });

  it.each<[string, object, object?]>([
    ['issuers[0].issuer', { ...issuer, issuer: 'http://issuer.example' }],
    ['issuers[0].jwksUri', { ...issuer, jwksUri: 'http://issuer.example/jwks' }],
    [
      'issuers[0].introspection.endpoint',
      { ...issuer, introspection: { ...introspection, endpoint: 'http://issuer.example/' } },
    ],
    [
      'revocation.streams[0].configurationUri',
      issuer,
      streams({ configurationUri: 'http://issuer.example/' }),
    ],
  ])('over plain http names the option that permits it: %s', (path, entry, revocation) => {
    const more = revocation === undefined ? {} : { revocation };
    expect(() => checkConfig({ supergraph: './s.graphql', issuers: [entry], ...more })).toThrow(
      `${path}: must be an https: address; for development only, issuers[0].allowInsecureIssuer: true permits http:`,
    );
  });

  it('meets the same rule in watchRevocations', () => {
    const watch = (stream: object) => () =>
      watchRevocations({
        streams: [{ issuer: issuer.issuer, secret: 's', ...stream }],
        onRevocation: () => undefined,
      });
    expect(watch({ issuer: 'http://issuer.example' })).toThrow(
      /^streams\[0\]\.issuer: .*streams\[0\]\.allowInsecureIssuer/,
    );
    expect(watch({ foreign: { ...foreign, jwksUri: 'http://signals.example' } })).toThrow(
      /^streams\[0\]\.foreign\.jwksUri: /,
    );
    expect(() => watchRevocations({ streams: [] })).toThrow(/^streams: /);
  });

  it.each([
    'http://localhost:1234',
    'http://127.0.0.1',
    'http://127.9.9.9:8',
    'http://[::1]:8',
    'https://issuer.example',
  ])('may be %s', (address) => {
    expect(addressProblem(address, { allowInsecure: false })).toBeUndefined();
  });

  it('over http must be on this machine, whatever the host name (property)', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.tuple(fc.constantFrom('localhost', '127.0.0.1', '127'), label).map((parts) => parts.join('.')),
      fc.tuple(label, fc.constantFrom('localhost', '127.0.0.1')).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(host, fc.constantFrom('http', 'HTTP', 'ftp', 'ws', 'file'), (name, scheme) => {
        const address = `${scheme}://${name}/`;
        const isPermitted = addressProblem(address, { allowInsecure: false }) === undefined;
        if (!isPermitted) return;
        expect(scheme.toLowerCase()).toBe('http');
        expect(new URL(address).hostname).toMatch(/^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
