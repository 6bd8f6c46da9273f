import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrustedProxies } from '../../gateway/http/proxies.js';
import { makeCertificate, sendTls, SERVER_NAME, writeCertificates } from './certificates.js';
import type { Certificate } from './certificates.js';
import { Prover } from './dpop.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking, TestGateway } from './support.js';
import { until } from '../support/wait.js';

const READ = '{ me { id name } }';
const READ_DATA = { me: { id: 'c-000001', name: 'Name of c-000001' } };
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let files: Readonly<Record<string, string>>;
let server: Certificate;
let authority: Certificate;
let issued: Certificate;
let client: Certificate;
let thief: Certificate;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  server = await makeCertificate('gateway');
  authority = await makeCertificate('authority');
  issued = await makeCertificate('issued', authority);
  // Self-signed, as in section 2.2.
  client = await makeCertificate('client');
  thief = await makeCertificate('thief');
  files = await writeCertificates(cleanup, { server, authority });
  token = await issuer.mint({ scope: 'name', cnf: { 'x5t#S256': client.thumbprint } });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

type Config = Partial<Parameters<typeof startTestGateway>[2]>;

function start(more: Config = {}): Promise<TestGateway> {
  return startTestGateway(cleanup, supergraph, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    ...more,
  });
}

function startTls(tls: Readonly<Record<string, unknown>> = {}, more: Config = {}): Promise<TestGateway> {
  return start({
    listen: {
      port: 0,
      tls: {
        certFile: files.server ?? '',
        keyFile: files.serverKey ?? '',
        requestClientCertificate: true,
        ...tls,
      },
    },
    ...more,
  });
}

function askTls(
  gateway: TestGateway,
  shown: string,
  certificate?: Certificate,
  headers: Readonly<Record<string, string>> = {},
  agent: Agent | false = false,
): Promise<Answer> {
  return sendTls(`${gateway.url}/graphql`, JSON.stringify({ query: READ }), {
    ca: server.pem,
    agent,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${shown}`, ...headers },
    ...(certificate === undefined ? {} : { cert: certificate.pem, key: certificate.keyPem }),
  });
}

function expectRefused(answer: Answer, reason: string, at: TestGateway): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual(['INVALID_TOKEN']);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  expect(people.requests).toEqual([]);
  expect(at.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
}

describe('section 3: TLS ends at the gateway', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTls();
  });

  it('listens on https, and publishes https addresses', async () => {
    expect(gateway.url).toMatch(/^https:/);
    const answer = await sendTls(`${gateway.url}/.well-known/oauth-protected-resource/graphql`, '', {
      method: 'GET',
      ca: server.pem,
    });
    expect(answer.body).toMatchObject({
      resource: `${gateway.url}/graphql`,
      tls_client_certificate_bound_access_tokens: true,
    });
  });

  it('accepts a bound token with its certificate, even self-signed', async () => {
    const answer = await askTls(gateway, token, client);
    expect(answer.body).toEqual({ data: READ_DATA });
  });

  it('refuses a stolen token with no certificate or another one', async () => {
    expectRefused(await askTls(gateway, token), 'CERTIFICATE_MISSING', gateway);
    expectRefused(await askTls(gateway, token, thief), 'CERTIFICATE_MISMATCH', gateway);
    // A certificate alone is public: the connection needs its key.
    const stolen = { ...thief, pem: client.pem };
    await expect(askTls(gateway, token, stolen)).rejects.toThrow();
    expect(people.requests).toEqual([]);
  });

  it('remembers a verification without the certificate', async () => {
    expect((await askTls(gateway, token, client)).status).toBe(200);
    people.requests.length = 0;
    expectRefused(await askTls(gateway, token, thief), 'CERTIFICATE_MISMATCH', gateway);
  });

  it('uses the certificate of each request’s connection, even if resumed', async () => {
    const agents = [
      new Agent({ keepAlive: true, maxSockets: 1 }),
      new Agent({ keepAlive: true, maxSockets: 1 }),
    ];
    try {
      for (let round = 0; round < 3; round += 1) {
        expect((await askTls(gateway, token, client, {}, agents[0])).status).toBe(200);
        people.requests.length = 0;
        expectRefused(await askTls(gateway, token, thief, {}, agents[1]), 'CERTIFICATE_MISMATCH', gateway);
        expectRefused(await askTls(gateway, token, undefined, {}, agents[1]), 'CERTIFICATE_MISSING', gateway);
      }
    } finally {
      for (const agent of agents) agent.destroy();
    }
    const session = await new Promise<Buffer>((resolve, reject) => {
      const socket = connect({
        ...addressOf(gateway),
        ca: server.pem,
        servername: SERVER_NAME,
        cert: client.pem,
        key: client.keyPem,
      });
      socket.once('session', (ticket: Buffer) => {
        resolve(ticket);
        socket.end();
      });
      socket.once('error', reject);
    });
    const resumed = await sendTls(`${gateway.url}/graphql`, JSON.stringify({ query: READ }), {
      ca: server.pem,
      session,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
    expect(resumed.body).toEqual({ data: READ_DATA });
  });

  it('an unbound token needs no certificate', async () => {
    const unbound = await issuer.mint({ scope: 'name' });
    expect((await askTls(gateway, unbound)).body).toEqual({ data: READ_DATA });
    expect((await askTls(gateway, unbound, thief)).body).toEqual({ data: READ_DATA });
  });

  it('a token that is also bound to a key needs both', async () => {
    const prover = await Prover.create();
    const both = await issuer.mint({ scope: 'name', cnf: { ...prover.cnf, 'x5t#S256': client.thumbprint } });
    const url = `${gateway.url}/graphql`;
    const headers = async () => (await prover.show(url, both)).headers as Record<string, string>;
    expect((await askTls(gateway, both, client, await headers())).body).toEqual({ data: READ_DATA });
    people.requests.length = 0;
    expectRefused(await askTls(gateway, both, client), 'DPOP_DOWNGRADE', gateway);
    expectRefused(await askTls(gateway, both, thief, await headers()), 'CERTIFICATE_MISMATCH', gateway);
    expectRefused(await askTls(gateway, both, undefined, await headers()), 'CERTIFICATE_MISSING', gateway);
  });

  it('a forged Client-Cert header does not replace the connection’s certificate', async () => {
    const headers = { 'client-cert': `:${client.der.toString('base64')}:` };
    expectRefused(await askTls(gateway, token, undefined, headers), 'CERTIFICATE_MISSING', gateway);
    expectRefused(await askTls(gateway, token, thief, headers), 'CERTIFICATE_MISMATCH', gateway);
  });

  it('closes with open connections, after running requests', async () => {
    const closing = await startTls();
    const agent = new Agent({ keepAlive: true });
    let answer = (): void => undefined;
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    people.instead = async (_request, response) => {
      await mayAnswer;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: { me: { id: 'late', name: 'late' } } }));
    };
    try {
      const idle = connect({ ...addressOf(closing), ca: server.pem, servername: SERVER_NAME });
      await new Promise((resolve) => idle.once('secureConnect', resolve));
      const answering = askTls(closing, await issuer.mint({ scope: 'name' }), undefined, {}, agent);
      await until(() => people.requests.length > 0, 'the request is running');
      const ended = new Promise((resolve) => idle.once('close', resolve));
      idle.on('error', () => undefined);
      const closed = closing.running.close();
      answer();
      await closed;
      expect((await answering).body.data).toMatchObject({ me: { id: 'late' } });
      await ended;
    } finally {
      people.instead = undefined;
      agent.destroy();
    }
  });
});

function addressOf({ url }: TestGateway): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

describe('an authority for clients', () => {
  it('admits only its own certificates, and clients without one by token', async () => {
    const gateway = await startTls({ clientCaFile: files.authority });
    const bound = await issuer.mint({ scope: 'name', cnf: { 'x5t#S256': issued.thumbprint } });
    expect((await askTls(gateway, bound, issued)).body).toEqual({ data: READ_DATA });
    people.requests.length = 0;
    // Self-signed: the connection ends before a request is read.
    await expect(askTls(gateway, token, client)).rejects.toThrow();
    await expect(askTls(gateway, await issuer.mint({ scope: 'name' }), thief)).rejects.toThrow();
    expect(people.requests).toEqual([]);
    expect((await askTls(gateway, await issuer.mint({ scope: 'name' }))).body).toEqual({ data: READ_DATA });
  });

  it('if not requested, no certificate is seen, and a bound token is refused', async () => {
    const gateway = await startTls({ requestClientCertificate: false });
    expectRefused(await askTls(gateway, token, client), 'CERTIFICATE_MISSING', gateway);
  });

  it('stops the start if its files are unreadable or mismatched', async () => {
    await expect(startTls({ certFile: '/nowhere.pem' })).rejects.toMatchObject({
      path: 'listen.tls.certFile',
    });
    await expect(startTls({ clientCaFile: '/nowhere.pem' })).rejects.toMatchObject({
      path: 'listen.tls.clientCaFile',
    });
    await expect(startTls({ keyFile: files.authorityKey })).rejects.toMatchObject({ path: 'listen.tls' });
    await expect(startTls({ keyFile: files.server })).rejects.toMatchObject({ path: 'listen.tls' });
  });
});

describe('RFC 9440: the certificate in a header', () => {
  const header = (certificate: Certificate): string => `:${certificate.der.toString('base64')}:`;
  const askWith = (gateway: TestGateway, value: string | readonly string[] | undefined): Promise<Answer> => {
    const asking: Asking = { token, ...(value === undefined ? {} : { headers: { 'client-cert': value } }) };
    return gateway.ask(READ, asking);
  };

  it('is accepted from a configured proxy', async () => {
    for (const address of ['127.0.0.1', '127.0.0.0/8']) {
      const gateway = await start({ proxies: { addresses: [address], clientCertificate: true } });
      expect((await askWith(gateway, header(client))).body).toEqual({ data: READ_DATA });
      people.requests.length = 0;
      expectRefused(await askWith(gateway, header(thief)), 'CERTIFICATE_MISMATCH', gateway);
      expectRefused(await askWith(gateway, undefined), 'CERTIFICATE_MISSING', gateway);
    }
  });

  it('forged: is ignored from anybody else', async () => {
    const gateways = [
      await start(),
      // From a proxy that is trusted for something else, and forwards the client's header.
      await start({ proxies: { addresses: ['127.0.0.1'] } }),
      await start({ proxies: { addresses: ['127.0.0.1'], clientCertificate: false } }),
      await start({ proxies: { addresses: ['10.0.0.1', '::1', '127.0.0.2/31'], clientCertificate: true } }),
    ];
    for (const gateway of gateways)
      expectRefused(await askWith(gateway, header(client)), 'CERTIFICATE_MISSING', gateway);
  });

  it('unreadable or repeated, is not a certificate', async () => {
    const gateway = await start({ proxies: { addresses: ['127.0.0.1'], clientCertificate: true } });
    const good = header(client);
    for (const value of [
      '',
      '::',
      client.der.toString('base64'),
      `${good}x`,
      `${good}, ${good}`,
      `${good};a=1`,
      good.replace(/=*:$/, '!:'),
      `"${good}"`,
      [good, good],
      [header(thief), good],
    ]) {
      expectRefused(await askWith(gateway, value), 'CERTIFICATE_MISSING', gateway);
    }
  });

  it('is required: the proxy’s own certificate is not the client’s', async () => {
    const gateway = await startTls({}, { proxies: { addresses: ['127.0.0.1'], clientCertificate: true } });
    // The proxy connects with the token's certificate; its client showed none, or another.
    expectRefused(await askTls(gateway, token, client), 'CERTIFICATE_MISSING', gateway);
    const other = { 'client-cert': header(thief) };
    expectRefused(await askTls(gateway, token, client, other), 'CERTIFICATE_MISMATCH', gateway);
    const right = { 'client-cert': header(client) };
    expect((await askTls(gateway, token, thief, right)).body).toEqual({ data: READ_DATA });
  });

  it('holds for the administrators’ address, too', async () => {
    const gateway = await start({
      administration: { scope: 'gateway:admin' },
      proxies: { addresses: ['127.0.0.1'], clientCertificate: true },
    });
    const admin = await issuer.mint({ scope: 'gateway:admin', cnf: { 'x5t#S256': client.thumbprint } });
    const explain = (value: string): Promise<Answer> =>
      send(`${gateway.url}/admin/explain`, JSON.stringify({ query: READ }), {
        'content-type': 'application/json',
        authorization: `Bearer ${admin}`,
        'client-cert': value,
      });
    expect((await explain(header(client))).status).toBe(200);
    expect((await explain(header(thief))).status).toBe(401);
  });

  it('an address matches in both families, and a network at its exact width', () => {
    const proxies = new TrustedProxies({
      addresses: ['10.1.0.0/16', 'fd00::/8', '192.0.2.1'],
      clientCertificate: true,
    });
    const told = (peer: string | undefined): boolean => proxies.tellsClientCertificate(peer);
    for (const peer of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.0.2.1', '::ffff:192.0.2.1'])
      expect(told(peer), peer).toBe(true);
    for (const peer of ['10.2.0.1', '192.0.2.2', 'fe80::1', '::1', '', 'x', undefined])
      expect(told(peer), peer).toBe(false);
    for (const address of [
      'x',
      '10.0.0.1/33',
      '10.0.0.1/-1',
      '10.0.0.1/',
      '10.0.0.1/8/8',
      'fd00::/129',
      '10.0.0.256',
    ])
      expect(() => new TrustedProxies({ addresses: [address] }), address).toThrow('proxies.addresses[0]');
  });
});
