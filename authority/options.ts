import { comparePolicyWithSchema, describeMismatch } from '@behalf/policy';
import type { Policy, SchemaVocabulary } from '@behalf/policy';
import type { Log } from '@behalf/store';
import type { NewAccount } from './accounts/register.js';
import type { PushRetry } from './changes/push.js';
import { GATEWAYS, type StreamReceiver } from './changes/receivers.js';
import type { ClientRegistration } from './clients/register.js';
import { AuthorityError } from './errors.js';
import type { ClientCertificateOptions } from './http/client-certificate.js';
import { ClientNetworks } from './http/client-networks.js';
import type { KeySchedule } from './keys/times.js';
import { isLoopback } from './http/loopback.js';
import type { DurationChoice } from './pages/consent.js';

/** @see startAuthority */
export interface AuthorityOptions {
  /** The `iss` of all tokens: the address that clients and gateways reach, without a path. Default: host and port. */
  readonly issuer?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** PostgreSQL, 15 or newer; the authority's tables are made and migrated at the start. */
  readonly databaseUrl: string;
  /** Connections for requests, at most; default 10. Two more listen for changes. */
  readonly maxConnections?: number;
  /** 32 bytes that encrypt the private keys in the store. Or give `dataDir`. */
  readonly encryptionKey?: Uint8Array;
  /** When signing keys rotate by themselves, and how long a key is published before it signs. */
  readonly signingKeys?: Partial<KeySchedule>;
  /** Folder with the file of that key (mode 0600), made when missing. */
  readonly dataDir?: string;
  /** The `aud` of access tokens: the resource indicator (RFC 8707) of the API. */
  readonly audience: string;
  /** What scopes and purposes mean, who may grant them, and to whom. */
  readonly policy: Policy;
  /**
   * The file that `policy` was read from. It is watched, and reloaded when it changes; a version that cannot be used is logged, and
   * the current one stays. Default: the policy never changes.
   */
  readonly policyFile?: string;
  /** What the API's schema asks for (`vocabularyOf`): the policy must name the same. */
  readonly vocabulary: SchemaVocabulary;
  /** Applications beside those that are registered in the store. */
  readonly clients?: readonly ClientRegistration[];
  /** `fapi2`: every client is held to the FAPI 2.0 Security Profile, and one that cannot be stops the start. */
  readonly profile?: 'fapi2';
  /** Where clients' certificates come from (RFC 8705, RFC 9440). Default: from nowhere; none is believed. */
  readonly clientCertificates?: ClientCertificateOptions;
  /**
   * Addresses of the proxies before it, or networks of theirs, whose `X-Forwarded-For` is believed: wrong passwords and requests
   * are counted by the client's network. Default: for an https issuer this machine's, and otherwise none.
   */
  readonly proxies?: readonly string[];
  /**
   * People whose passwords are public, for a demo: they are added, and can sign in, for as long as this option is given. Refused on
   * anything but the loopback interface. Default: none.
   */
  readonly demoAccounts?: readonly NewAccount[];
  /** What gateways make their streams with; each stream then has a secret of its own. 16 characters or more. */
  readonly streamSecret: string;
  /** Others who may make streams, each with a secret of its own, and gateways that are to be told apart. */
  readonly streamReceivers?: readonly StreamReceiver[];
  /** How often a receiver that does not take what is pushed to it is asked again. */
  readonly pushRetry?: Partial<PushRetry>;
  /** What a person can choose from, as far as the policy lets a consent last; default 1 hour, 1 day, 30 days, 90 days. */
  readonly durations?: readonly DurationChoice[];
  /** Default: 30 days when that is a choice, else the first. */
  readonly defaultDurationSeconds?: number;
  /** How long a poll of the change stream waits for an event; default 30,000. */
  readonly longPollMs?: number;
  readonly log?: Log;
}

const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export const DEFAULT_DURATIONS: readonly DurationChoice[] = [
  { seconds: HOUR_SECONDS, label: '1 hour' },
  { seconds: DAY_SECONDS, label: '1 day' },
  { seconds: 30 * DAY_SECONDS, label: '30 days' },
  { seconds: 90 * DAY_SECONDS, label: '90 days' },
];

export const DEFAULT_DURATION_SECONDS = 30 * DAY_SECONDS;

/** @throws AuthorityError `option_invalid`, `policy_mismatch`, `demo_not_loopback`, `issuer_invalid` */
export async function checkOptions(options: AuthorityOptions): Promise<void> {
  const { audience, demoAccounts, host = '127.0.0.1', issuer, streamSecret } = options;
  if (streamSecret.length < 16) {
    throw new AuthorityError('option_invalid', 'streamSecret must have 16 characters or more');
  }
  await checkReceivers(streamSecret, options.streamReceivers ?? []);
  if (URL.parse(audience) === null)
    throw new AuthorityError('option_invalid', 'audience must be an absolute URI');
  const mismatch = describeMismatch(comparePolicyWithSchema(options.policy, options.vocabulary));
  if (mismatch !== undefined) throw new AuthorityError('policy_mismatch', mismatch);
  if (options.encryptionKey === undefined && options.dataDir === undefined) {
    throw new AuthorityError('option_invalid', 'encryptionKey or dataDir must be given');
  }
  if (demoAccounts !== undefined && !(await isLoopback(host))) {
    throw new AuthorityError(
      'demo_not_loopback',
      `The passwords of demoAccounts are public, so the authority must listen on the loopback interface, not on ${host}`,
    );
  }
  if (issuer !== undefined) await checkIssuer(issuer);
  await checkProxies(options, host);
}

/** With a proxy that is not known as one, all people would count as one client, and lock each other out. */
async function checkProxies({ issuer = '', proxies }: AuthorityOptions, host: string): Promise<void> {
  try {
    new ClientNetworks(issuer, proxies);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new AuthorityError('option_invalid', `proxies: ${reason}`, { cause });
  }
  if (proxies === undefined && issuer.startsWith('https:') && !(await isLoopback(host))) {
    const message = `proxies must name who terminates TLS for ${issuer}, as the authority listens on ${host}`;
    throw new AuthorityError('option_invalid', message);
  }
}

/** Streams are found by name, and a name by its secret: neither may be two people's. */
async function checkReceivers(streamSecret: string, receivers: readonly StreamReceiver[]): Promise<void> {
  const names = new Set([GATEWAYS]);
  const secrets = new Set([streamSecret]);
  for (const { name, pushEndpoints = [], secret } of receivers) {
    if (!/^[\w.-]{1,64}$/.test(name) || names.has(name)) {
      throw new AuthorityError('option_invalid', `streamReceivers: the name "${name}" is taken, or is none`);
    }
    if (secret.length < 16 || secrets.has(secret)) {
      throw new AuthorityError(
        'option_invalid',
        `streamReceivers: the secret of "${name}" must have 16 characters or more, and be nobody else's`,
      );
    }
    names.add(name);
    secrets.add(secret);
    for (const endpoint of pushEndpoints) await checkPushEndpoint(name, endpoint);
  }
}

async function checkPushEndpoint(name: string, endpoint: string): Promise<void> {
  const url = URL.parse(endpoint);
  const isPermitted =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && (await isLoopback(url.hostname)));
  if (!isPermitted || url.username !== '' || url.password !== '') {
    throw new AuthorityError(
      'option_invalid',
      `streamReceivers: the push endpoints of "${name}" must be https, except on the loopback interface`,
    );
  }
}

async function checkIssuer(issuer: string): Promise<void> {
  const url = URL.parse(issuer);
  if (url === null || url.origin !== issuer) {
    throw new AuthorityError('issuer_invalid', 'issuer must be an origin, such as https://login.example');
  }
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:' || !(await isLoopback(url.hostname))) {
    throw new AuthorityError('issuer_invalid', 'issuer must be https, except on the loopback interface');
  }
}
