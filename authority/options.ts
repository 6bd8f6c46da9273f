import { DEFAULT_NOT_READY_MS } from '@behalf/http/internal';
import type { ShutdownOptions } from '@behalf/http';
import type { Clock } from '@behalf/directives';
import { comparePolicyWithSchema, describeMismatch } from '@behalf/policy';
import type { Policy, SchemaVocabulary } from '@behalf/policy';
import { readTextFile } from '@behalf/policy/internal';
import type { Log } from '@behalf/store';
import type { NewAccount } from './accounts/register.js';
import type { PushRetry } from './ssf/push.js';
import { GATEWAYS, type StreamReceiver } from './ssf/receivers.js';
import type { ClientRegistration } from './client-registration.js';
import { checkShapeOfOptions, refuse } from './check-shape.js';
import { AuthorityError } from './errors.js';
import { type ClientCertificateOptions, ClientCertificates } from './http/client-certificate.js';
import { ClientNetworks } from './http/client-networks.js';
import type { KeySchedule } from './keys/times.js';
import { isLoopback } from './http/loopback.js';
import type { DurationChoice } from './pages/consent.js';
import type { PageMessages } from './pages/messages/index.js';
import { problemIn } from './language/check-messages.js';

/** The options of {@link startAuthority}. */
export interface AuthorityOptions {
  /**
   * The `iss` of all tokens: the address where clients and gateways reach the authority, without a path. Default: from host and
   * port.
   */
  readonly issuer?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** PostgreSQL 15 or newer. The start creates and migrates the authority's tables. */
  readonly databaseUrl: string;
  /** The largest number of connections for requests, at least 1. Two more listen for changes, and with `audit` a third. Default: 10. */
  readonly maxConnections?: number;
  /** 32 bytes that encrypt the secrets in the store. Alternatively, give `dataDir`. */
  readonly encryptionKey?: Uint8Array;
  /** The schedule of signing key rotation. */
  readonly signingKeys?: Partial<KeySchedule>;
  /** Folder with a file that holds `encryptionKey` (mode 0600), created if missing. */
  readonly dataDir?: string;
  /**
   * The `aud` of access tokens, and the `resource` that clients request (RFC 8707): the address to which they send operations, such
   * as `https://api.example/graphql`. The gateway's metadata name it (RFC 9728), so clients can discover it.
   */
  readonly audience: string;
  /** The policy: what scopes and purposes mean, who may grant them, and to which clients. */
  readonly policy: Policy;
  /**
   * The file that `policy` was read from. It is watched, and reloaded when it changes; a version that cannot be used is logged, and
   * the current one stays. Default: the policy never changes.
   */
  readonly policyFile?: string;
  /**
   * Files with translations of `policy` (`policy.de.yaml`), each complete. Pages are offered in their languages, if there are messages
   * in them. They are watched and reloaded together with `policyFile`. Default: pages are in the policy's language only.
   */
  readonly translationFiles?: readonly string[];
  /**
   * The words of the pages, by language (BCP 47), beside and instead of those that come with the authority: English (`en`) and German
   * (`de`).
   */
  readonly messages?: Readonly<Record<string, PageMessages>>;
  /** The scopes and purposes in the API's schema (`vocabularyOf`), which the policy must match. */
  readonly vocabulary: SchemaVocabulary;
  /** Applications beside those that are registered in the store. */
  readonly clients?: readonly ClientRegistration[];
  /** `fapi2`: every client must conform to the FAPI 2.0 Security Profile; one that cannot stops the start. */
  readonly profile?: 'fapi2';
  /** The proxies that pass clients' certificates on (RFC 8705, RFC 9440). Default: none, and no certificate is accepted. */
  readonly clientCertificates?: ClientCertificateOptions;
  /**
   * Addresses or networks of the trusted proxies, whose `X-Forwarded-For` tells the client's address. Wrong passwords and pending
   * requests are counted by the client's network. Default: this machine for an https issuer, otherwise none.
   */
  readonly proxies?: readonly string[];
  /**
   * People whose passwords are public, for a demo: they are added, and can sign in, for as long as this option is given. Refused on
   * anything but the loopback interface. Default: none.
   */
  readonly demoAccounts?: readonly NewAccount[];
  /** The secret with which gateways create their streams, each of which then has its own secret. At least 16 characters. */
  readonly streamSecret: string;
  /** Other parties that may create streams, each with its own secret. */
  readonly streamReceivers?: readonly StreamReceiver[];
  /** How often a receiver that does not accept pushed events is retried. */
  readonly pushRetry?: Partial<PushRetry>;
  /** The durations that a person can choose from, within the limits of the policy. Default: 1 hour, 1 day, 30 days, 90 days. */
  readonly durations?: readonly DurationChoice[];
  /** The preselected duration, one of `durations`. Default: 30 days if that is a choice, otherwise the first. */
  readonly defaultDurationSeconds?: number;
  /** How long a poll of the change stream waits for an event, in milliseconds: 1 to 600,000. Default: 30,000. */
  readonly longPollMs?: number;
  /** How {@link Authority.drain} ends it. Default: `notReadyMs` 5,000 and `drainMs` 5,000. */
  readonly shutdown?: ShutdownOptions;
  /**
   * The audit log that gets the authority's events: consents, revocations, suspensions, keys, applications, policies, streams and
   * sign-ins. Every instance must have this option. Default: no events are recorded.
   */
  readonly audit?: AuditOptions;
  readonly log?: Log;
  /**
   * Starts timers and measures how long something takes. The time of day stays the machine's and the database's, like that of
   * oidc-provider. Default: the machine's own.
   */
  readonly clock?: Clock;
}

/** The audit log that gets the authority's events, see {@link AuthorityOptions.audit}. */
export interface AuditOptions {
  /**
   * PostgreSQL connection string of the role that appends to the log (`createWriterRole` of `@behalf/audit/postgres`), the same
   * log as the gateways'. Needs the package `@behalf/audit`.
   */
  readonly database: string;
}

/** Answers take milliseconds, and long polls are ended first. */
const DEFAULT_DRAIN_MS = 5_000;

/** @see AuthorityOptions.shutdown */
export function shutdownTimes({
  shutdown = {},
}: Pick<AuthorityOptions, 'shutdown'>): Required<ShutdownOptions> {
  const { drainMs = DEFAULT_DRAIN_MS, notReadyMs = DEFAULT_NOT_READY_MS } = shutdown;
  return { drainMs, notReadyMs };
}

const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export const DEFAULT_DURATIONS: readonly DurationChoice[] = [
  { seconds: HOUR_SECONDS },
  { seconds: DAY_SECONDS },
  { seconds: 30 * DAY_SECONDS },
  { seconds: 90 * DAY_SECONDS },
];

export const DEFAULT_DURATION_SECONDS = 30 * DAY_SECONDS;

/** @throws AuthorityError `OPTION_INVALID`, `CLIENT_INVALID`, `POLICY_MISMATCH`, `DEMO_NOT_LOOPBACK`, `ISSUER_INVALID` */
export async function checkOptions(options: AuthorityOptions): Promise<void> {
  checkShapeOfOptions(options);
  const { audience, demoAccounts, host = '127.0.0.1', issuer, streamSecret } = options;
  if (streamSecret.length < 16) {
    throw new AuthorityError('OPTION_INVALID', 'streamSecret must have 16 characters or more');
  }
  await checkReceivers(streamSecret, options.streamReceivers ?? []);
  // RFC 8707 section 2; otherwise every request would be refused with `invalid_target`.
  if (URL.parse(audience) === null || audience.includes('#'))
    throw new AuthorityError('OPTION_INVALID', 'audience must be an absolute URI without a fragment');
  const mismatch = describeMismatch(comparePolicyWithSchema(options.policy, options.vocabulary));
  if (mismatch !== undefined) throw new AuthorityError('POLICY_MISMATCH', mismatch);
  if (options.encryptionKey === undefined && options.dataDir === undefined) {
    throw new AuthorityError('OPTION_INVALID', 'encryptionKey or dataDir must be given');
  }
  if (demoAccounts !== undefined && !(await isLoopback(host))) {
    throw new AuthorityError(
      'DEMO_NOT_LOOPBACK',
      `The passwords of demoAccounts are public, so the authority must listen on the loopback interface, not on ${host}`,
    );
  }
  if (issuer !== undefined) await checkIssuer(issuer);
  await checkProxies(options, host);
  certificatesOf(options);
  const message = problemIn(options.messages ?? {});
  if (message !== undefined) refuse(message.path, message.problem);
  checkDefaultDuration(options);
  await checkPolicyFile(options.policyFile);
}

/** @throws AuthorityError `OPTION_INVALID` */
export function certificatesOf({
  clientCertificates,
}: Pick<AuthorityOptions, 'clientCertificates'>): ClientCertificates | undefined {
  if (clientCertificates === undefined) return undefined;
  try {
    return new ClientCertificates(clientCertificates);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new AuthorityError('OPTION_INVALID', `clientCertificates: ${reason}`, { cause });
  }
}

function checkDefaultDuration({
  defaultDurationSeconds,
  durations = DEFAULT_DURATIONS,
}: AuthorityOptions): void {
  if (defaultDurationSeconds === undefined) return;
  if (durations.some(({ seconds }) => seconds === defaultDurationSeconds)) return;
  refuse('defaultDurationSeconds', 'must be the seconds of one of the durations');
}

/** A file that is missing from the start is misspelt: later changes of the policy would go unnoticed. */
async function checkPolicyFile(policyFile: string | undefined): Promise<void> {
  if (policyFile === undefined) return;
  await readTextFile(policyFile, (problem) => new AuthorityError('OPTION_INVALID', `policyFile: ${problem}`));
}

/** Behind an unknown proxy, all people would count as one client, and lock each other out. */
async function checkProxies({ issuer = '', proxies }: AuthorityOptions, host: string): Promise<void> {
  try {
    new ClientNetworks(issuer, proxies);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new AuthorityError('OPTION_INVALID', `proxies: ${reason}`, { cause });
  }
  if (proxies === undefined && issuer.startsWith('https:') && !(await isLoopback(host))) {
    const message = `proxies must name the proxy that terminates TLS for ${issuer}, because the authority listens on ${host}`;
    throw new AuthorityError('OPTION_INVALID', message);
  }
}

/** Streams are found by name, and names by secret, so both must be unique. */
async function checkReceivers(streamSecret: string, receivers: readonly StreamReceiver[]): Promise<void> {
  const names = new Set([GATEWAYS]);
  const secrets = new Set([streamSecret]);
  for (const { name, pushEndpoints = [], secret } of receivers) {
    if (!/^[\w.-]{1,64}$/.test(name) || names.has(name)) {
      throw new AuthorityError('OPTION_INVALID', `streamReceivers: the name "${name}" is taken or invalid`);
    }
    if (secret.length < 16 || secrets.has(secret)) {
      throw new AuthorityError(
        'OPTION_INVALID',
        `streamReceivers: the secret of "${name}" must have 16 characters or more, and be unique`,
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
      'OPTION_INVALID',
      `streamReceivers: the push endpoints of "${name}" must be https, except on the loopback interface`,
    );
  }
}

async function checkIssuer(issuer: string): Promise<void> {
  const url = URL.parse(issuer);
  if (url === null || url.origin !== issuer) {
    throw new AuthorityError('ISSUER_INVALID', 'issuer must be an origin, such as https://login.example');
  }
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:' || !(await isLoopback(url.hostname))) {
    throw new AuthorityError('ISSUER_INVALID', 'issuer must be https, except on the loopback interface');
  }
}
