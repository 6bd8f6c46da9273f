import { withoutUndefined } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import type { Shutdown } from '@behalf/http/internal';
import type { Log } from '@behalf/store';
import { KnownBrowsers } from './accounts/known-browsers.js';
import { SignIn } from './accounts/sign-in.js';
import { SignInEvents } from './accounts/sign-in-events.js';
import { SignInThrottle } from './accounts/throttle.js';
import type { ChangeFeed } from './changes/feed.js';
import { Outbox } from './ssf/outbox.js';
import { PUSH_RETRY, PushDelivery } from './ssf/push.js';
import { ReceiverRegister } from './ssf/receivers.js';
import { StreamManagement } from './ssf/stream-management.js';
import { StreamRegister } from './ssf/streams.js';
import { SsfTransmitter } from './ssf/transmitter.js';
import { ApplicationRegister } from './clients/applications.js';
import { ClientDirectory } from './clients/directory.js';
import { ConsentRegister } from './consent/register.js';
import { SuspensionRegister } from './consent/suspensions.js';
import { Housekeeping } from './housekeeping.js';
import { ClientNetworks } from './http/client-networks.js';
import { Cors } from './http/cors.js';
import { InteractionRoutes } from './interaction/routes.js';
import { SignOut } from './interaction/sign-out.js';
import { PendingRequests } from './oidc/pending-requests.js';
import { createProvider } from './oidc/provider.js';
import { RotatingProvider, type RotatingProviderOptions } from './oidc/rotating-provider.js';
import { type AuthorityOptions, DEFAULT_DURATION_SECONDS, DEFAULT_DURATIONS } from './options.js';
import { createRouter } from './router.js';
import { StatusRegister } from './status/register.js';
import type { AuthorityDatabase } from './schema.js';
import type { State } from './state.js';

/** @see assemble */
export interface PartsOptions {
  readonly db: AuthorityDatabase;
  readonly feed: ChangeFeed;
  readonly issuer: string;
  readonly state: State;
  readonly shutdown: Pick<Shutdown, 'isDraining'>;
  readonly options: AuthorityOptions & { readonly log: Log; readonly clock: Clock };
}

/** Creates the parts of a running authority, and connects them. */
export function assemble(given: PartsOptions) {
  const { db, issuer, state, options } = given;
  const directory = new ClientDirectory({
    given: state.clients,
    applications: new ApplicationRegister(db),
    rules: { certificates: state.certificates, profile: options.profile },
    log: options.log,
  });
  const registers = {
    consents: new ConsentRegister(db),
    suspensions: new SuspensionRegister(db),
    statuses: new StatusRegister({ db, issuer, keys: state.keys, clock: options.clock }),
    directory,
    networks: new ClientNetworks(issuer, options.proxies),
    cors: new Cors((origin) => directory.hasOrigin(origin)),
  };
  const oauth = createOauth(given, registers);
  const signIns = new SignInEvents({ db, clock: options.clock });
  const interactions = createInteractions(given, registers, { oauth, signIns });
  const { push, transmitter } = createChangeStream(given);
  const signOut = new SignOut({
    issuer,
    get provider() {
      return oauth.provider;
    },
    consents: registers.consents,
    get languages() {
      return state.policy.inForce.languages;
    },
  });
  const { cors, statuses } = registers;
  const { log, clock } = options;
  const route = createRouter({
    issuer,
    db,
    cors,
    oauth,
    keys: state.keys,
    interactions,
    signOut,
    get languages() {
      return state.policy.inForce.languages;
    },
    transmitter,
    statuses,
    shutdown: given.shutdown,
    log,
    clock,
  });
  const housekeeping = new Housekeeping({ db, log, clock, relaysEvents: options.audit !== undefined });
  return { consents: registers.consents, cors, oauth, transmitter, push, signIns, housekeeping, route };
}

interface Registers {
  readonly consents: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly statuses: StatusRegister;
  readonly directory: ClientDirectory;
  readonly networks: ClientNetworks;
  readonly cors: Cors;
}

function createOauth({ db, issuer, options, state }: PartsOptions, registers: Registers): RotatingProvider {
  const { audience, clock, log, profile } = options;
  const { accounts, certificates, clients, cookieKeys, dpopNonceKey, keys } = state;
  // Outside of the provider, which is created again for each key and policy.
  const pending = new PendingRequests({ db, clock });
  const create: RotatingProviderOptions['create'] = (jwks, { languages, policy }) => {
    const provider = createProvider({
      ...registers,
      issuer,
      audience,
      db,
      jwks,
      cookieKeys,
      dpopNonceKey,
      accounts,
      clients,
      certificates,
      policy,
      fields: options.vocabulary.fields,
      languages,
      profile,
      pending,
    });
    // Only the class of an unexpected error is logged, because its message may contain what a client sent.
    provider.on('server_error', (_ctx, error) =>
      log.log('error', 'REQUEST_HANDLING_FAILED', { error: error.name }),
    );
    return provider;
  };
  return new RotatingProvider({ keys, policy: state.policy, create });
}

function createInteractions(
  { db, issuer, options, state }: PartsOptions,
  { consents, directory, networks, suspensions }: Registers,
  { oauth, signIns }: { readonly oauth: RotatingProvider; readonly signIns: SignInEvents },
): InteractionRoutes {
  const { audience, durations = DEFAULT_DURATIONS } = options;
  const { accounts, cookieKeys, policy } = state;
  const fallback = durations.find(({ seconds }) => seconds === DEFAULT_DURATION_SECONDS) ?? durations[0];
  return new InteractionRoutes({
    issuer,
    db,
    audience,
    fields: options.vocabulary.fields,
    get provider() {
      return oauth.provider;
    },
    accounts,
    signIn: new SignIn({
      accounts,
      throttle: new SignInThrottle(options.clock),
      browsers: new KnownBrowsers(cookieKeys[0] ?? ''),
      events: signIns,
    }),
    networks,
    consents,
    suspensions,
    clients: directory,
    get languages() {
      return policy.inForce.languages;
    },
    durations,
    defaultDurationSeconds: options.defaultDurationSeconds ?? fallback?.seconds ?? 0,
  });
}

function createChangeStream({ db, feed, issuer, options, state }: PartsOptions) {
  const { audience, clock, log, longPollMs, streamSecret } = options;
  const { keys, secrets } = state;
  const streams = new StreamRegister(db);
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
    clock,
    longPollMs,
  });
  const retry = { ...PUSH_RETRY, ...withoutUndefined(options.pushRetry ?? {}) };
  const endpoints = receivers.pushEndpoints;
  const ways = { db, streams, outbox, keys, secrets, feed, endpoints };
  const push = new PushDelivery({ ...ways, retry, log, clock });
  return { push, transmitter };
}
