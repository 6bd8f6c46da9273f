import { describe, expect, it } from 'vitest';
import { type AuthorityOptions, startAuthority } from '../../authority/index.js';
import { checkShapeOfOptions } from '../../authority/check-shape.js';
import { MESSAGES } from '../../authority/pages/messages/index.js';
import { checkPolicy } from '../../policy/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { POLICY_FILE, withPolicy } from './setup.js';

const base: AuthorityOptions = {
  port: 0,
  // Nothing listens there: what is accepted would end in another error.
  databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
  encryptionKey: new Uint8Array(32),
  audience: 'https://api.bank.example',
  ...withPolicy(checkPolicy(POLICY_FILE)),
  streamSecret: 'a-secret-of-the-tests',
};
const client = { clientId: 'app', displayName: 'A', redirectUris: ['https://a.example/cb'] };
const account = {
  subject: 's',
  username: 'u',
  displayName: 'U',
  roles: [],
  policies: [],
  password: 'p',
};
const receiver = { name: 'r', secret: 'a-secret-of-a-receiver' };
const { NaN: notANumber, POSITIVE_INFINITY: infinite } = Number;

/** Wrong values of every option, by its key. */
const WRONG: Readonly<Record<keyof AuthorityOptions, readonly unknown[]>> = {
  issuer: [5, '', null, []],
  host: [5, '', null],
  port: [undefined, null, '0', -1, 1.5, 65_536, notANumber],
  databaseUrl: [undefined, null, '', 5, 'mysql://db.example/x'],
  maxConnections: ['5', 0, -1, 1.5, notANumber, infinite, null],
  encryptionKey: ['x', new Uint8Array(31), null, []],
  signingKeys: ['x', null, [], 5],
  dataDir: [5, '', null],
  audience: [undefined, null, '', 5, '/x', 'https://api.example/#x'],
  policy: [undefined, null, {}, POLICY_FILE, './policy.yaml'],
  policyFile: ['/nope.yaml', 5, '', null, '/'],
  translationFiles: ['policy.de.yaml', {}, null, [5], [undefined], ['']],
  messages: ['x', null, [], { fr: null }, { fr: {} }, { 'not a tag': MESSAGES.en }],
  vocabulary: [undefined, null, {}, { scopes: new Map() }, { scopes: {}, purposes: {} }, 'type Query'],
  clients: ['x', null, {}],
  profile: ['FAPI2', 'fapi', '', true, null],
  clientCertificates: [{}, [], 'x', null, { proxies: '10.0.0.1' }, { proxies: ['x'] }],
  proxies: ['10.0.0.1', {}, null, [5], ['x'], [undefined]],
  demoAccounts: [true, {}, null, 'x'],
  streamSecret: [undefined, 5, '', 'short', null],
  streamReceivers: ['x', null, {}],
  pushRetry: ['x', null, [], 5],
  durations: [[], {}, 'x', null],
  defaultDurationSeconds: ['x', 0, -5, 1.5, notANumber, null, 7],
  longPollMs: [notANumber, 0, -1, '5', infinite, null],
  shutdown: ['x', null, [], 5],
  audit: [{}, 'x', null, [], { database: '' }, { database: 'file:///x' }],
  log: [true, {}, null, 'info'],
  clock: [5, {}, null],
};

/** Wrong members of options, by their paths. */
const NESTED: readonly (readonly [string, object])[] = [
  ['signingKeys.rotateEverySeconds', { signingKeys: { rotateEverySeconds: 'x' } }],
  ['signingKeys.rotateEverySeconds', { signingKeys: { rotateEverySeconds: 0 } }],
  ['signingKeys.publishAheadSeconds', { signingKeys: { publishAheadSeconds: notANumber } }],
  ['signingKeys.rotateEverySecond', { signingKeys: { rotateEverySecond: 5 } }],
  ['pushRetry.firstMs', { pushRetry: { firstMs: -1 } }],
  ['pushRetry.longestMs', { pushRetry: { longestMs: '5' } }],
  ['pushRetry.attempts', { pushRetry: { attempts: 0 } }],
  ['pushRetry.atempts', { pushRetry: { atempts: 5 } }],
  ['shutdown.notReadyMs', { shutdown: { notReadyMs: -1 } }],
  ['shutdown.drainMs', { shutdown: { drainMs: notANumber } }],
  ['shutdown.foo', { shutdown: { foo: 1 } }],
  ['"shutdown.drainMs"', { 'shutdown.drainMs': 5 }],
  ['audit.databse', { audit: { databse: 'postgres://x' } }],
  ['clientCertificates.authorities', { clientCertificates: { proxies: ['10.0.0.1'], authorities: 'x' } }],
  ['clientCertificates.proxy', { clientCertificates: { proxies: ['10.0.0.1'], proxy: 'x' } }],
  ['durations[0].seconds', { durations: [{}] }],
  ['durations[0].seconds', { durations: [{ seconds: -5, label: 'y' }] }],
  ['durations[0].label', { durations: [{ seconds: 5, label: '' }] }],
  ['durations[0].lable', { durations: [{ seconds: 5, label: 'x', lable: 'y' }] }],
  ['durations[0]', { durations: ['x'] }],
  // A hole.
  ['durations[0]', { durations: Array.from({ length: 1 }) }],
  ['demoAccounts[0].password', { demoAccounts: [{ ...account, password: '' }] }],
  ['demoAccounts[0].roles', { demoAccounts: [{ ...account, roles: 'administrator' }] }],
  ['demoAccounts[0].role', { demoAccounts: [{ ...account, role: 'x' }] }],
  ['demoAccounts[0].policies', { demoAccounts: [{ ...account, policies: undefined }] }],
  ['streamReceivers[0].name', { streamReceivers: [{ ...receiver, name: 5 }] }],
  ['streamReceivers[0].secret', { streamReceivers: [{ name: 'r' }] }],
  [
    'streamReceivers[0].pushEndpoints',
    { streamReceivers: [{ ...receiver, pushEndpoints: 'https://r.example' }] },
  ],
  [
    'streamReceivers[0].pushEndpoint',
    { streamReceivers: [{ ...receiver, pushEndpoint: 'https://r.example' }] },
  ],
  ['profle', { profle: 'fapi2' }],
  ['constructor', { constructor: 5 }],
];

/** Wrong members of a client; the second is what the message says of the key. */
const CLIENTS: readonly (readonly [string, unknown, string])[] = [
  ['', 'app', 'must be an object'],
  ['clientId', { ...client, clientId: undefined }, 'is missing'],
  ['clientId', { ...client, clientId: 5 }, 'must be'],
  ['clientId', { ...client, clientId: '' }, 'must be printable ASCII'],
  ['displayName', { ...client, displayName: '' }, 'must not be empty'],
  ['redirectUris', { ...client, redirectUris: 'https://a.example/cb' }, 'must be a list'],
  ['redirectUri', { ...client, redirectUri: 'https://a.example/cb' }, 'did you mean redirectUris?'],
  ['secret', { ...client, secret: 5 }, 'must be'],
  ['secretDigest', { ...client, secretDigest: '' }, 'must not be empty'],
  ['owner', { ...client, owner: 5 }, 'must be'],
  ['contact', { ...client, contact: 'a@b.example' }, 'must be a mailto: or https: address'],
  ['homePage', { ...client, homePage: 'http://a.example' }, 'must be an https: address'],
  ['origins', { ...client, origins: 'https://a.example' }, 'must be a list'],
  ['oauth', { ...client, oauth: [] }, 'must be an object'],
  ['oauth.profile', { ...client, oauth: { profile: 'FAPI2' } }, 'must be fapi2'],
  ['oauth.senderConstraint', { ...client, oauth: { senderConstraint: 'dpopp' } }, 'did you mean dpop?'],
  [
    'oauth.senderConstrant',
    { ...client, oauth: { senderConstrant: 'dpop' } },
    'did you mean senderConstraint?',
  ],
  [
    'oauth.requirePushedRequest',
    { ...client, oauth: { requirePushedRequest: true } },
    'did you mean requirePushedRequests?',
  ],
  [
    'oauth.requirePushedRequests',
    { ...client, oauth: { requirePushedRequests: 'yes' } },
    'must be true or false',
  ],
  [
    'oauth.authentcation',
    { ...client, oauth: { authentcation: { method: 'private_key_jwt' } } },
    'did you mean authentication?',
  ],
  ['oauth.authentication.method', { ...client, oauth: { authentication: { method: 'none' } } }, 'must be'],
  [
    'oauth.authentication.jwks',
    { ...client, oauth: { authentication: { method: 'private_key_jwt' } } },
    'is missing',
  ],
  [
    'oauth.authorizationDetailsTypes[0]',
    { ...client, oauth: { authorizationDetailsTypes: ['x'] } },
    'must be',
  ],
  ['oauth.clientCredentials.scopes', { ...client, oauth: { clientCredentials: { scopes: [] } } }, 'must'],
  ['oauth.exchange.depth', { ...client, oauth: { exchange: { from: ['b'], depth: 0 } } }, 'must be'],
  ['oauth.introspection', { ...client, oauth: { introspection: 1 } }, 'must be true or false'],
];

const start = (more: object): Promise<unknown> => startAuthority({ ...base, ...more });

describe('an authority is refused', () => {
  it.each([undefined, null, 5, 'x', [], new Map()])('for no options: %o', async (options) => {
    const attempt = startAuthority(options as never);
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'OPTION_INVALID' });
  });

  it('for empty options, naming one', async () => {
    await expect(startAuthority({} as never)).rejects.toThrow('port is missing');
  });

  it.each(
    Object.entries(WRONG).flatMap(([key, values]) => values.map((value): [string, unknown] => [key, value])),
  )('for a wrong %s: %o', async (key, value) => {
    const attempt = start({ [key]: value });
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'OPTION_INVALID' });
    await expect(attempt).rejects.toThrow(new RegExp(`^${key}\\b`));
  });

  it.each(NESTED)('for a wrong %s', async (path, more) => {
    const attempt = start(more);
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'OPTION_INVALID' });
    await expect(attempt).rejects.toThrow(`${path} `);
  });

  it.each(CLIENTS)('for a client with a wrong member: %s', async (path, given, problem) => {
    const attempt = start({ clients: [client, given] });
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'CLIENT_INVALID' });
    const at = path === '' ? 'clients[1]' : `clients[1].${path}`;
    await expect(attempt).rejects.toThrow(`${at} `);
    await expect(attempt).rejects.toThrow(problem);
  });

  it('naming the key that was probably meant', async () => {
    await expect(start({ profle: 'fapi2' })).rejects.toThrow('did you mean profile?');
  });
});

it('an authority accepts every option, and undefined for one that is not given', () => {
  const all: AuthorityOptions = {
    ...base,
    issuer: 'https://login.example',
    host: '127.0.0.1',
    maxConnections: 5,
    signingKeys: { rotateEverySeconds: 60, publishAheadSeconds: 0 },
    dataDir: '/var/lib/behalf',
    policyFile: 'policy.yaml',
    translationFiles: ['policy.de.yaml'],
    messages: { fr: MESSAGES.en },
    clients: [
      { ...client, secret: 'sesame', oauth: { senderConstraint: 'dpop', requirePushedRequests: true } },
    ],
    profile: 'fapi2',
    clientCertificates: { proxies: ['10.0.0.1'], authorities: [] },
    proxies: ['10.0.0.0/24'],
    demoAccounts: [account],
    streamReceivers: [{ ...receiver, pushEndpoints: ['https://r.example'] }],
    pushRetry: { firstMs: 1, longestMs: 2, attempts: 3 },
    durations: [{ seconds: 60, label: 'a minute' }],
    defaultDurationSeconds: 60,
    longPollMs: 1_000,
    shutdown: { notReadyMs: 0, drainMs: 0 },
    audit: { database: 'postgres://writer@db.example/behalf' },
    log: new (class {
      log(): void {
        // A class instance is a log as well.
      }
    })(),
    clock: new ManualClock(),
  };
  expect(() => checkShapeOfOptions(all)).not.toThrow();
  expect(Object.keys(all).sort()).toEqual(Object.keys(WRONG).sort());
  for (const key of Object.keys(WRONG).filter((name) => !Object.hasOwn(base, name)))
    expect(() => checkShapeOfOptions({ ...all, [key]: undefined })).not.toThrow();
});
