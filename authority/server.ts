import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { errors, type Provider } from 'oidc-provider';

import { openDatabase } from '@behalf/store';
import { comparePolicyWithSchema } from '@behalf/policy';
import type { Log } from '@behalf/store';
import { Connections, listen, ListenError } from '@behalf/http';
import { silentLog } from '@behalf/store/internal';
import { AccountRegister } from './accounts/register.js';
import { KnownBrowsers } from './accounts/known-browsers.js';
import { SignIn } from './accounts/sign-in.js';
import { SignInThrottle } from './accounts/throttle.js';
import { ChangeFeed } from './changes/feed.js';
import { Outbox } from './changes/outbox.js';
import { PUSH_RETRY, PushDelivery } from './changes/push.js';
import { ReceiverRegister } from './changes/receivers.js';
import { StreamManagement } from './changes/stream-management.js';
import { StreamRegister } from './changes/streams.js';
import { SsfTransmitter } from './changes/transmitter.js';
import { checkClients } from './clients/check.js';
import { ApplicationRegister } from './clients/applications.js';
import { ClientDirectory } from './clients/directory.js';
import type { ClientRegistration } from './clients/register.js';
import { ConsentExpiry } from './consent/expiry.js';
import { ConsentRegister } from './consent/register.js';
import { SuspensionRegister } from './consent/suspensions.js';
import { Housekeeping } from './housekeeping.js';
import { ClientCertificates } from './http/client-certificate.js';
import { ClientNetworks } from './http/client-networks.js';
import { InteractionRoutes } from './interaction/routes.js';
import { SignOut } from './interaction/sign-out.js';
import { encryptionKeyFrom } from './keys/encryption-key.js';
import { loadCookieKeys } from './keys/cookie-keys.js';
import { SigningKeyRing } from './keys/ring.js';
import { SealedSecrets } from './keys/sealed.js';
import { KEY_SCHEDULE } from './keys/times.js';
import { migrateAuthority } from './migrations/index.js';
import { PendingRequests } from './oidc/pending-requests.js';
import { createProvider } from './oidc/provider.js';
import { RotatingProvider, type RotatingProviderOptions } from './oidc/rotating-provider.js';
import { CurrentPolicy } from './current-policy.js';
import { AuthorityError } from './errors.js';
import {
  type AuthorityOptions,
  checkOptions,
  DEFAULT_DURATION_SECONDS,
  DEFAULT_DURATIONS,
} from './options.js';
import { createRouter } from './router.js';
import { StatusRegister } from './status/register.js';
import type { AuthorityDatabase, AuthoritySchema } from './schema.js';

/** A running authority. */
export interface Authority {
  /** Where it listens. */
  readonly url: string;
  readonly issuer: string;
  /** Reads `policyFile` again, as on SIGHUP. A policy that cannot be used is logged, and the current one stays. Never rejects. */
  reloadPolicy(): Promise<void>;
  /** Answers what is under way, ends long polls, closes its database connections. May be called more than once. */
  close(): Promise<void>;
}

/** Answers take milliseconds, and long polls are ended before. */
const CLOSE_GRACE_MS = 2_000;

/**
 * Starts the authorization server: OAuth endpoints, sign-in and consent pages, and the change stream for gateways. All
 * its state is in the store: it can be stopped at any time, and several can run on one store.
 *
 * @throws AuthorityError, StoreError; nothing that was opened is left
 */
export async function startAuthority(options: AuthorityOptions): Promise<Authority> {
  await checkOptions(options);
  warnOfPolicy(options);
  const { databaseUrl, host = '127.0.0.1', log = silentLog, maxConnections = 10, port } = options;
  const db = openDatabase<AuthoritySchema>(databaseUrl, {
    max: maxConnections,
    applicationName: 'behalf-authority',
    log,
  });
  const feed = new ChangeFeed(databaseUrl, log);
  const expiryFeed = new ChangeFeed(databaseUrl, log, 'expiry');
  // Until all is ready, nothing is routed.
  let route = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(503, { 'retry-after': '1' }).end();
  };
  const server = createServer((request, response) => route(request, response));
  const connections = new Connections(server);
  const opened: (() => Promise<void>)[] = [() => db.destroy(), () => feed.close(), () => expiryFeed.close()];
  const closeAll = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  try {
    await migrateAuthority(db);
    const state = await prepareState(db, options);
    opened.push(() => state.keys.close());
    await feed.open();
    state.keys.watch(feed);
    await expiryFeed.open();
    const { origin: url } = await listen(server, host, port).catch((error: unknown) => {
      if (!(error instanceof ListenError)) throw error;
      throw new AuthorityError('listen_failed', `The authority ${error.message}`, { cause: error });
    });
    opened.push(() => connections.close({ requestGraceMs: CLOSE_GRACE_MS, answerGraceMs: CLOSE_GRACE_MS }));
    const issuer = options.issuer ?? url;
    const parts = assemble(db, feed, issuer, state, { ...options, log });
    await refuseUnusableClients(parts.oauth.provider, state.clients);
    const expiry = new ConsentExpiry({ consents: parts.consents, feed: expiryFeed, log });
    opened.push(
      () => expiry.close(),
      () => parts.housekeeping.close(),
      () => parts.push.close(),
      async () => parts.transmitter.close(),
    );
    parts.push.start();
    route = parts.route;
    state.policy.watch();
    opened.push(async () => state.policy.close());
    return { url, issuer, reloadPolicy: () => state.policy.reload(), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What of the policy does not fit the schema and yet does not stop the start. Names of scopes and purposes only. */
function warnOfPolicy({ log = silentLog, policy, vocabulary }: AuthorityOptions): void {
  for (const { kind, name } of comparePolicyWithSchema(policy, vocabulary)) {
    log.log('warn', 'POLICY_SCHEMA_MISMATCH', { kind, name });
  }
}

type State = Awaited<ReturnType<typeof prepareState>>;

/** What is in the store, or is put there by the first start. */
async function prepareState(db: AuthorityDatabase, options: AuthorityOptions) {
  const { clients = [], dataDir, demoAccounts } = options;
  const encryptionKey = options.encryptionKey ?? (await encryptionKeyFrom(dataDir ?? ''));
  const secrets = new SealedSecrets(db, encryptionKey);
  const schedule = { ...KEY_SCHEDULE, ...options.signingKeys };
  const keys = await SigningKeyRing.open({ db, secrets, schedule, log: options.log ?? silentLog });
  const cookieKeys = await loadCookieKeys(secrets);
  const dpopNonceKey = Buffer.from(
    await secrets.getOrCreate('dpop-nonce-key', () => randomBytes(32).toString('base64url')),
    'base64url',
  );
  const accounts = new AccountRegister(db, { demo: demoAccounts !== undefined });
  const certificates = certificatesOf(options);
  const rules = { accounts, policy: options.policy, certificates, profile: options.profile };
  if (demoAccounts !== undefined) await accounts.addDemoAccounts(demoAccounts);
  await checkClients(clients, rules);
  const policy = new CurrentPolicy({
    policy: options.policy,
    file: options.policyFile,
    vocabulary: options.vocabulary,
    clients,
    accounts,
    rules: { certificates, profile: options.profile },
    log: options.log ?? silentLog,
  });
  return { secrets, keys, cookieKeys, dpopNonceKey, accounts, certificates, clients, policy };
}

/** @throws AuthorityError `option_invalid` */
function certificatesOf({ clientCertificates }: AuthorityOptions): ClientCertificates | undefined {
  if (clientCertificates === undefined) return undefined;
  try {
    return new ClientCertificates(clientCertificates);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new AuthorityError('option_invalid', `clientCertificates: ${reason}`, { cause });
  }
}

/** oidc-provider looks at a client's metadata when it is first used; here that is before anybody else does. */
async function refuseUnusableClients(
  provider: Provider,
  clients: readonly ClientRegistration[],
): Promise<void> {
  for (const { clientId } of clients) {
    try {
      await provider.Client.find(clientId);
    } catch (cause) {
      const reason = cause instanceof errors.OIDCProviderError ? cause.error_description : undefined;
      const message = `The client ${clientId} cannot be used: ${reason ?? 'unknown reason'}`;
      throw new AuthorityError('client_invalid', message, { cause });
    }
  }
}

function assemble(
  db: AuthorityDatabase,
  feed: ChangeFeed,
  issuer: string,
  state: State,
  options: AuthorityOptions & { log: Log },
) {
  const { audience, durations = DEFAULT_DURATIONS, log, longPollMs, profile, streamSecret } = options;
  const { accounts, certificates, clients, cookieKeys, dpopNonceKey, keys, secrets } = state;
  const consents = new ConsentRegister(db);
  const suspensions = new SuspensionRegister(db);
  const streams = new StreamRegister(db);
  const statuses = new StatusRegister({ db, issuer, keys });
  const directory = new ClientDirectory({
    given: clients,
    applications: new ApplicationRegister(db),
    rules: { certificates, profile },
    log,
  });
  const networks = new ClientNetworks(issuer, options.proxies);
  // Not the provider's, which is made anew with each key.
  const pending = new PendingRequests({ db });
  const create: RotatingProviderOptions['create'] = (jwks, policy) => {
    const provider = createProvider({
      issuer,
      audience,
      db,
      jwks,
      cookieKeys,
      dpopNonceKey,
      accounts,
      consents,
      suspensions,
      clients,
      certificates,
      directory,
      policy,
      profile,
      statuses,
      pending,
      networks,
    });
    // Of an unexpected failure only its kind is said: its message may hold what a client sent.
    provider.on('server_error', (_ctx, error) =>
      log.log('error', 'REQUEST_HANDLING_FAILED', { error: error.name }),
    );
    return provider;
  };
  const oauth = new RotatingProvider({ keys, policy: state.policy, create });
  const fallback = durations.find(({ seconds }) => seconds === DEFAULT_DURATION_SECONDS) ?? durations[0];
  const interactions = new InteractionRoutes({
    issuer,
    db,
    audience,
    get provider() {
      return oauth.provider;
    },
    accounts,
    signIn: new SignIn({
      accounts,
      throttle: new SignInThrottle(),
      browsers: new KnownBrowsers(cookieKeys[0] ?? ''),
    }),
    networks,
    consents,
    suspensions,
    clients: directory,
    get policy() {
      return state.policy.policy;
    },
    durations,
    defaultDurationSeconds: options.defaultDurationSeconds ?? fallback?.seconds ?? 0,
  });
  const outbox = new Outbox({ db, streams, keys, issuer, audience });
  const receivers = new ReceiverRegister(streamSecret, options.streamReceivers ?? []);
  const transmitter = new SsfTransmitter({
    issuer,
    receivers,
    management: new StreamManagement({ db, receivers, streams, secrets, issuer, audience }),
    streams,
    outbox,
    feed,
    log,
    ...(longPollMs === undefined ? {} : { longPollMs }),
  });
  const retry = { ...PUSH_RETRY, ...options.pushRetry };
  const push = new PushDelivery({
    db,
    streams,
    outbox,
    keys,
    secrets,
    feed,
    endpoints: receivers.pushEndpoints,
    retry,
    log,
  });
  const housekeeping = new Housekeeping({ db, log });
  const signOut = new SignOut({
    issuer,
    get provider() {
      return oauth.provider;
    },
    consents,
  });
  const route = createRouter({ issuer, db, oauth, keys, interactions, signOut, transmitter, statuses, log });
  return { consents, oauth, transmitter, push, housekeeping, route };
}
