// A single-page application: its key cannot be exported, and every request proves it (RFC 9449).
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { Client, fetchExchange } from '@urql/core';

const CLIENT_ID = 'page-app';

/** @param {IDBRequest} request */
const resultOf = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** The browser keeps the key pair, so that the page still has it when the person comes back. */
async function keyStore() {
  const opening = indexedDB.open('page', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
  const database = await resultOf(opening);
  return database.transaction('keys', 'readwrite').objectStore('keys');
}

/** @returns {Promise<CryptoKeyPair>} */
async function ownKeys() {
  const known = await resultOf((await keyStore()).get('dpop'));
  if (known !== undefined) return known;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const made = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  await resultOf((await keyStore()).put(made, 'dpop'));
  return made;
}

const keys = await ownKeys();
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
/** By origin: each server has its own. */
const nonces = new Map();

/** Proves the key, and does so again, once, if the server asks for a nonce. */
async function provingFetch(url, init, token) {
  const { origin } = new URL(url);
  const send = async () => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `DPoP ${token}`);
    const proven = { method: init.method, url: String(url), nonce: nonces.get(origin), accessToken: token };
    headers.set('dpop', await proof(proven));
    const response = await fetch(url, { ...init, headers });
    const nonce = response.headers.get('dpop-nonce');
    if (nonce !== null) nonces.set(origin, nonce);
    return response;
  };
  const before = nonces.get(origin);
  const response = await send();
  const isRefused = response.status === 400 || response.status === 401;
  return isRefused && nonces.get(origin) !== before ? send() : response;
}

/** A `fetch` for any GraphQL client. */
const dpopFetch = (url, init) => provingFetch(url, init, accessToken);

/** From a refusal of the API to its metadata (RFC 9728), and to those of its authorization server (RFC 8414). */
async function discover(api) {
  const body = '{"query":"{ __typename }"}';
  const refused = await fetch(api, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const [, address] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
  const { resource, authorization_servers: servers } = await (await fetch(address)).json();
  if (resource !== api) throw new Error('the metadata are of another API');
  const server = await (await fetch(`${servers[0]}/.well-known/oauth-authorization-server`)).json();
  return { resource, server };
}

/** Leaves for the authorization server, with PKCE (RFC 7636). */
async function leave(api, scope) {
  const { resource, server } = await discover(api);
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const state = crypto.randomUUID();
  sessionStorage.setItem('request', JSON.stringify({ resource, server, verifier, state }));
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(verifier))));
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: `${location.origin}/callback`,
    scope,
    resource,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString();
  location.assign(url);
}

/** Redeems the code that the person came back with. */
async function redeem() {
  const { resource, server, verifier, state } = JSON.parse(sessionStorage.getItem('request'));
  const given = new URLSearchParams(location.search);
  // RFC 9207
  if (given.get('state') !== state || given.get('iss') !== server.issuer) throw new Error('not our answer');
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: `${location.origin}/callback`,
    code: given.get('code') ?? '',
    code_verifier: verifier,
    resource,
  });
  const response = await provingFetch(server.token_endpoint, { method: 'POST', body });
  const { access_token: token, token_type: type, error } = await response.json();
  accessToken = token;
  return { status: response.status, type, error };
}

globalThis.page = {
  leave,
  redeem,
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
  /** A request with the token; what the page can read of the response. */
  ask: async (url, query) => {
    const headers = { 'content-type': 'application/json' };
    const response = await dpopFetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { errors } = await response.json();
    const codes = errors?.map(({ extensions }) => extensions.code);
    return { status: response.status, codes, retryAfter: response.headers.get('retry-after') };
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
