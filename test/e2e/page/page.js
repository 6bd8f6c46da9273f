// A single-page application: its key cannot be exported, and every request proves it (RFC 9449).
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { Client, fetchExchange } from '@urql/core';

/** @type {CryptoKeyPair} */
const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
  'sign',
  'verify',
]);
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
/** @param {string} text */
const bytesOf = (text) => new TextEncoder().encode(text);

/** A proof for one request; an undefined claim is omitted. */
async function proof({ method, url, nonce, accessToken }) {
  const { origin, pathname } = new URL(url);
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: `${origin}${pathname}`,
    iat: Math.floor(Date.now() / 1000),
    nonce,
    ath:
      accessToken === undefined
        ? undefined
        : base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(accessToken)))),
  };
  const signed = [header, claims].map((part) => base64url(bytesOf(JSON.stringify(part)))).join('.');
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, keys.privateKey, bytesOf(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

let accessToken;
let nonce;

/** A `fetch` for any GraphQL client. It sends a request again, once, if the gateway asks for a nonce. */
async function dpopFetch(url, init) {
  const send = async () => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `DPoP ${accessToken}`);
    headers.set('dpop', await proof({ method: init.method, url: String(url), nonce, accessToken }));
    const response = await fetch(url, { ...init, headers });
    nonce = response.headers.get('dpop-nonce') ?? nonce;
    return response;
  };
  const response = await send();
  const challenge = response.headers.get('www-authenticate') ?? '';
  return response.status === 401 && challenge.includes('use_dpop_nonce') ? send() : response;
}

globalThis.page = {
  proof,
  use: (token) => {
    accessToken = token;
    nonce = undefined;
  },
  exportKey: () =>
    crypto.subtle.exportKey('jwk', keys.privateKey).then(
      () => 'exported',
      (error) => error.name,
    ),
  apollo: async (url, query) => {
    const link = new HttpLink({ uri: url, fetch: dpopFetch });
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const { data, error } = await client.query({ query: gql(query), errorPolicy: 'all' });
    return { data, codes: error?.errors?.map(({ extensions }) => extensions.code) };
  },
  urql: async (url, query) => {
    const client = new Client({ url, exchanges: [fetchExchange], fetch: dpopFetch, preferGetMethod: false });
    const { data, error } = await client.query(query, {}).toPromise();
    return { data, codes: error?.graphQLErrors.map(({ extensions }) => extensions.code) };
  },
  /** A request as it is; what the page can read of the response. */
  fetch: async (url, init) => {
    try {
      const response = await fetch(url, init);
      const { status } = response;
      return { status, headers: Object.fromEntries(response.headers), text: await response.text() };
    } catch (error) {
      return { error: error.name };
    }
  },
};
