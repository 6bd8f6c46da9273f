import * as oauth from 'openid-client';
import { BUDGET_SCOPES, discover, expect, ME, signIn } from './drill.js';
import type { Drill } from './drill.js';
import { proofFor } from './proof.js';
import { rawRequest, type RawAnswer } from './raw.js';
import type { DrillSystem } from './system.js';

const EVIL = 'evil.example';
const FORGED: Readonly<Record<string, string>> = {
  host: EVIL,
  'x-forwarded-host': EVIL,
  'x-forwarded-proto': 'https',
  forwarded: `host=${EVIL};proto=https`,
};
const DOCUMENTS = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/ssf-configuration',
];

/** An attacker forges the `Host` header. */
export const forgedHost: Drill = {
  name: 'forged-host',
  breach: `An attacker addresses the authority as ${EVIL}, through a load balancer that passes on the Host header.`,
  async run(system, report) {
    const issuer = system.front.url;
    for (const path of DOCUMENTS) {
      report.tried(`${path} for ${EVIL}, for a cache to keep`);
      const answer = await rawRequest(`${issuer}${path}`, { headers: FORGED });
      if (answer.status === 404) continue;
      expect(answer.status === 200, 'it is answered');
      const addresses = addressesIn(JSON.parse(answer.text));
      expect(addresses.length > 0, 'it names addresses');
      expect(addresses.every(isOf(issuer)), `every address in ${path} is the issuer’s`);
      expect(!JSON.stringify(answer).includes(EVIL), 'the forged name is nowhere in the answer');
    }
    report.stopped('scheme and host are the configured issuer’s, before anything is answered');

    report.tried('a sign-in for the forged address');
    const query = new URLSearchParams({ client_id: 'budget-app', response_type: 'code' });
    const signedIn = await rawRequest(`${issuer}/auth?${query.toString()}`, { headers: FORGED });
    expect(!JSON.stringify(signedIn).includes(EVIL), 'no redirect leads to the forged address');
    report.stopped('where a browser is sent next is the issuer’s as well');

    await proofForForgedAddress(system, (what) => report.tried(what));
    report.stopped('a proof names the issuer’s address (RFC 9449 htu), whatever `Host` says');
  },
};

async function proofForForgedAddress(system: DrillSystem, tried: (what: string) => void): Promise<void> {
  const client = await discover(system);
  const keys = await oauth.randomDPoPKeyPair('ES256');
  const DPoP = oauth.getDPoPHandle(client, keys);
  const tokens = await signIn(client, 'alma', BUDGET_SCOPES, { DPoP });
  const refresh = async (address: string, nonce?: string): Promise<RawAnswer> =>
    rawRequest(`${system.front.url}/token`, {
      headers: {
        ...FORGED,
        'content-type': 'application/x-www-form-urlencoded',
        dpop: await proofFor(keys, address, tokens.access_token, nonce),
      },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'budget-app',
        refresh_token: tokens.refresh_token ?? '',
      }).toString(),
    });
  // Otherwise a proof for any address would be refused.
  const nonce = String((await refresh(`${system.front.url}/token`)).headers['dpop-nonce']);
  for (const scheme of ['http', 'https']) {
    tried(`a refresh with a proof that was made for ${scheme}://${EVIL}`);
    const answer = await refresh(`${scheme}://${EVIL}/token`, nonce);
    expect(answer.status === 400 || answer.status === 401, 'it is refused');
    expect(!answer.text.includes('access_token'), 'no token is given');
    expect(answer.text.includes('invalid_dpop_proof'), 'it is refused for the address');
  }
  const accepted = await refresh(`${system.front.url}/token`, nonce);
  expect(accepted.status === 200, 'a proof for the issuer is accepted');

  tried('the same at the gateway, for its own address under another name');
  const url = `${system.gatewayUrl}/graphql`;
  const ask = async (address: string): Promise<RawAnswer> =>
    rawRequest(url, {
      headers: {
        ...FORGED,
        'content-type': 'application/json',
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await proofFor(keys, address, tokens.access_token),
      },
      body: JSON.stringify({ query: ME }),
    });
  expect((await ask(`http://${EVIL}/graphql`)).status === 401, 'it is refused');
  expect((await ask(url)).status === 200, 'a proof for the gateway is accepted');
}

function isOf(issuer: string): (address: string) => boolean {
  return (address) => address === issuer || address.startsWith(`${issuer}/`);
}

/** Every member that holds an address: the issuer, and members ending in `_uri` or `_endpoint`. */
function addressesIn(document: unknown): string[] {
  return Object.entries(document as Record<string, unknown>).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return addressesIn(value);
    const isAddress = name === 'issuer' || name.endsWith('_uri') || name.endsWith('_endpoint');
    return isAddress && typeof value === 'string' ? [value] : [];
  });
}
