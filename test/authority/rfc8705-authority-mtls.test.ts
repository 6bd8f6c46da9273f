import { createHash } from 'node:crypto';

import * as oidc from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ApplicationRegister } from '../../authority/internal.js';
import type { Policy } from '../../policy/index.js';
import { BrowserlessPerson } from '../support/person.js';
import { FOR_SERVERS, issueCertificate, type Issued } from './certificates.js';
import { ALMA, application, claimsOf, client, post, withClients } from './oauth-setup.js';
import { authorizationRequest, startTestAuthority, type TestAuthority } from './setup.js';
import { startTlsProxy, type TlsProxy } from './tls-proxy.js';

const SCOPES = ['profile:read'];
const SERVICE = 'statements.example';

let authority: TestAuthority;
let proxy: TlsProxy;
let root: Issued;
let selfSigned: Issued;
let issued: Issued;
let registeredPolicy: Policy;
const agents: Agent[] = [];

beforeAll(async () => {
  root = await issueCertificate({ name: 'Root', isAuthority: true });
  selfSigned = await issueCertificate({ name: 'self' });
  issued = await issueCertificate({ name: 'statements', issuer: root, dnsNames: [SERVICE] });
  proxy = await startTlsProxy(
    await issueCertificate({ name: 'localhost', issuer: root, dnsNames: ['localhost'] }),
  );
  const clientCredentials = { scopes: SCOPES };
  const senderConstraint = 'certificate';
  const options = withClients(
    [
      client('self', {
        authentication: { method: 'self_signed_tls_client_auth', certificates: [selfSigned.pem] },
        clientCredentials,
        senderConstraint,
      }),
      client('statements', {
        authentication: { method: 'tls_client_auth', dnsName: SERVICE },
        clientCredentials,
        senderConstraint,
      }),
      application('careful-app', { senderConstraint }),
    ],
    {
      self: { scopes: SCOPES },
      statements: { scopes: SCOPES },
      'careful-app': { scopes: ['accounts:read'] },
      'registered-self': { scopes: SCOPES },
      'registered-name': { scopes: SCOPES },
    },
  );
  registeredPolicy = options.policy;
  authority = await startTestAuthority({
    issuer: proxy.origin,
    clientCertificates: { proxies: ['127.0.0.1', '::1'], authorities: [root.pem] },
    ...options,
  });
  proxy.target = authority.authority.url;
});
afterAll(async () => {
  await authority.close();
  await proxy.close();
  for (const agent of agents) await agent.destroy();
});

/** Connections with this certificate, or with none. */
function connections(certificate?: Issued): Agent {
  const own = certificate === undefined ? {} : { cert: certificate.pem, key: certificate.keyPem };
  const agent = new Agent({ connect: { ca: root.pem, ...own } });
  agents.push(agent);
  return agent;
}

/** A real OAuth client over TLS. */
async function discoverWith(clientId: string, authentication: oidc.ClientAuth, certificate?: Issued) {
  const dispatcher = connections(certificate);
  const customFetch: oidc.CustomFetch = async (url, options) => {
    const { body, headers, method, redirect } = options;
    const sent = {
      headers,
      method,
      redirect,
      dispatcher,
      body: body as string | URLSearchParams | undefined,
    };
    const answer = await undiciFetch(url, { ...sent, body: sent.body?.toString() ?? null });
    return new Response(await answer.text(), {
      status: answer.status,
      headers: Object.fromEntries(answer.headers.entries()),
    });
  };
  return oidc.discovery(new URL(proxy.origin), clientId, undefined, authentication, {
    [oidc.customFetch]: customFetch,
  });
}

function thumbprint({ certificate }: Issued): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

async function ownToken(clientId: string, certificate?: Issued) {
  const configuration = await discoverWith(clientId, oidc.TlsClientAuth(), certificate);
  return oidc.clientCredentialsGrant(configuration, { scope: 'profile:read' });
}

const REFUSED = { error: 'invalid_client' };

describe('RFC 8705: clients that are registered in the store', () => {
  it.each([
    [
      'registered-self',
      () => ({ method: 'self_signed_tls_client_auth', certificates: [selfSigned.pem] }),
      () => selfSigned,
    ],
    ['registered-name', () => ({ method: 'tls_client_auth', dnsName: SERVICE }), () => issued],
  ])('%s alone gets a token that is bound to its certificate', async (id, by, certificate) => {
    const whole = {
      displayName: 'Statements',
      owner: 'Example Bank',
      contact: 'mailto:it@bank.example',
      redirectUris: [],
      oauth: {
        authentication: by(),
        senderConstraint: 'certificate',
        clientCredentials: { scopes: SCOPES },
      },
    };
    const options = { by: 'admin-iris', policy: registeredPolicy, confidential: true };
    await new ApplicationRegister(authority.database.db).register(id, whole, options);
    const { cnf } = claimsOf(await ownToken(id, certificate()));
    expect(cnf).toEqual({ 'x5t#S256': thumbprint(certificate()) });
    const thief = await issueCertificate({ name: 'self' });
    for (const other of [undefined, thief, certificate() === issued ? selfSigned : issued]) {
      await expect(ownToken(id, other)).rejects.toMatchObject(REFUSED);
    }
  });
});

describe('RFC 8705 section 2: clients that authenticate by a certificate', () => {
  it('section 3.3: the metadata says so', async () => {
    const metadata = (await discoverWith('self', oidc.None())).serverMetadata();
    expect(metadata.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(metadata.token_endpoint_auth_methods_supported).toContain('tls_client_auth');
  });

  it('section 2.2: by a registered certificate, whoever issued it', async () => {
    expect(claimsOf(await ownToken('self', selfSigned))).toMatchObject({
      sub: 'self',
      cnf: { 'x5t#S256': thumbprint(selfSigned) },
    });
  });

  it('section 2.2: not by another certificate, or none', async () => {
    await expect(ownToken('self', await issueCertificate({ name: 'self' }))).rejects.toMatchObject(REFUSED);
    await expect(ownToken('self', issued)).rejects.toMatchObject(REFUSED);
    await expect(ownToken('self')).rejects.toMatchObject(REFUSED);
  });

  it('section 2.1: by its name in a certificate of a named authority', async () => {
    expect(claimsOf(await ownToken('statements', issued))).toMatchObject({
      sub: 'statements',
      cnf: { 'x5t#S256': thumbprint(issued) },
    });
    const renewed = await issueCertificate({
      name: 'renewed',
      issuer: root,
      dnsNames: ['other.example', SERVICE],
    });
    expect(claimsOf(await ownToken('statements', renewed)).sub).toBe('statements');
  });

  const other = () => issueCertificate({ name: 'Root', isAuthority: true });
  const named = { name: 'statements', dnsNames: [SERVICE] };
  it.each<[string, () => Promise<Issued>]>([
    ['that is self-signed', () => issueCertificate(named)],
    ['of an authority with the same name', async () => issueCertificate({ ...named, issuer: await other() })],
    ['for another name', () => issueCertificate({ ...named, issuer: root, dnsNames: ['thief.example'] })],
    [
      'for a name that ends alike',
      () => issueCertificate({ ...named, issuer: root, dnsNames: [`x${SERVICE}`] }),
    ],
    [
      'for all names of a domain',
      () => issueCertificate({ ...named, issuer: root, dnsNames: ['*.example'] }),
    ],
    ['with the name only in its subject', () => issueCertificate({ name: SERVICE, issuer: root })],
    ['that expired', () => issueCertificate({ ...named, issuer: root, expired: true })],
    ['for servers', () => issueCertificate({ ...named, issuer: root, usages: [FOR_SERVERS] })],
    [
      'issued by a certificate that is not an authority',
      () => issueCertificate({ ...named, issuer: issued }),
    ],
  ])('section 2.1: not by a certificate %s', async (_, certificate) => {
    await expect(ownToken('statements', await certificate())).rejects.toMatchObject(REFUSED);
  });
});

describe('RFC 8705 sections 3 and 4: tokens of a public client', () => {
  async function connect(certificate?: Issued) {
    const careful = await discoverWith('careful-app', oidc.None(), certificate);
    const request = await authorizationRequest(careful, 'accounts:read');
    // The person's browser needs no certificate: it connects to the authority directly.
    const url = new URL(request.url.href.replace(proxy.origin, authority.authority.url));
    const { callbackUrl } = await new BrowserlessPerson().follow(url, ALMA);
    const checks = { pkceCodeVerifier: request.verifier, expectedState: request.state };
    return { careful, tokens: await oidc.authorizationCodeGrant(careful, callbackUrl, checks) };
  }

  it('section 4: access and refresh token are bound to the presented certificate', async () => {
    const { careful, tokens } = await connect(selfSigned);
    expect(claimsOf(tokens).cnf).toEqual({ 'x5t#S256': thumbprint(selfSigned) });
    const stolen = tokens.refresh_token ?? '';
    for (const certificate of [issued, undefined]) {
      const thief = await discoverWith('careful-app', oidc.None(), certificate);
      await expect(oidc.refreshTokenGrant(thief, stolen)).rejects.toMatchObject({ error: 'invalid_grant' });
    }
    const refreshed = await oidc.refreshTokenGrant(careful, stolen);
    expect(claimsOf(refreshed).cnf).toEqual({ 'x5t#S256': thumbprint(selfSigned) });
  });

  it('section 3: no token is issued without a certificate', async () => {
    await expect(connect()).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe('RFC 9440: a certificate in a header is accepted', () => {
  const form = { grant_type: 'client_credentials', scope: 'profile:read', client_id: 'self' };
  const header = ({ certificate }: Issued) => ({ 'client-cert': `:${certificate.raw.toString('base64')}:` });

  it('section 4: not from the client, if the proxy drops it', async () => {
    const answer = await undiciFetch(`${proxy.origin}/token`, {
      method: 'POST',
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...header(selfSigned) },
      dispatcher: connections(),
    });
    expect(answer.status).toBe(401);
  });

  it('not from an address that is not named, whatever it says', async () => {
    const url = `${authority.authority.url}/token`;
    expect((await post(url, form, header(selfSigned))).status).toBe(200);
    await authority.restart({ clientCertificates: { proxies: ['192.0.2.1'], authorities: [root.pem] } });
    expect(await post(url, form, header(selfSigned))).toMatchObject({ status: 401, body: REFUSED });
    await authority.restart();
  });

  it.each([
    ['twice', (value: string) => `${value}, ${value}`],
    ['without its colons', (value: string) => value.slice(1, -1)],
    ['as something else', () => ':AAAA:'],
    ['empty', () => ''],
  ])('section 2.1: not if it is %s', async (_, change) => {
    const value = change(header(selfSigned)['client-cert']);
    const answer = await post(`${authority.authority.url}/token`, form, { 'client-cert': value });
    expect(answer).toMatchObject({ status: 401, body: REFUSED });
  });

  it.each([
    ['a proxy without an address', { proxies: ['proxy.example'] }],
    ['an authority without CA rights', () => ({ proxies: ['127.0.0.1'], authorities: [selfSigned.pem] })],
    ['an authority without a certificate', { proxies: ['127.0.0.1'], authorities: ['none'] }],
  ])('%s stops the start', async (_, options) => {
    const clientCertificates = typeof options === 'function' ? options() : options;
    const attempt = authority.restart({ clientCertificates });
    await expect(attempt).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await authority.restart();
  });
});
