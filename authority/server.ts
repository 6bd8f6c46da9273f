import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { openDatabase } from '@behalf/store';
import { comparePolicyWithSchema, readTranslations } from '@behalf/policy';
import { Connections, listen, ListenError, sendJson } from '@behalf/http';
import { answerStartingHealth, Shutdown } from '@behalf/http/internal';
import { systemClock } from '@behalf/directives/internal';
import { silentLog } from '@behalf/store/internal';
import { errors } from './oidc/oidc-provider.js';
import { startAuditRelay } from './audit/start-relay.js';
import { ChangeFeed } from './changes/feed.js';
import type { Cors } from './http/cors.js';
import { answerUnreadable } from './http/unreadable.js';
import type { ClientRegistration } from './client-registration.js';
import { ConsentExpiry } from './consent/expiry.js';
import { migrateAuthority } from './migrations/index.js';
import { AuthorityError } from './errors.js';
import { type AuthorityOptions, checkOptions, shutdownTimes } from './options.js';
import type { AuthoritySchema } from './schema.js';
import { assemble } from './parts.js';
import { prepareState } from './state.js';

/** A running authority. */
export interface Authority {
  /** Where it listens. */
  readonly url: string;
  readonly issuer: string;
  /**
   * Reads `policyFile` and `translationFiles` again: `process.on('SIGHUP', () => void authority.reloadPolicy())`. The authority itself handles no signals.
   * A policy that cannot be used is logged, and the current one stays. Never rejects.
   */
  reloadPolicy(): Promise<void>;
  /**
   * Ends the authority as SIGTERM should: for `shutdown.notReadyMs` it answers requests, and `/health/ready` says `DRAINING`, so
   * that load balancers stop sending any. Then as {@link close}, which also ends the wait.
   */
  drain(): Promise<void>;
  /**
   * Accepts no more connections, finishes requests in flight, for `shutdown.drainMs` at most, ends long polls, and closes database
   * connections. May be called more than once.
   */
  close(): Promise<void>;
}

/** For a request that has not arrived completely when the authority closes. */
const REQUEST_GRACE_MS = 2_000;

/**
 * Starts the authorization server: OAuth endpoints, sign-in and consent pages, and the change stream for gateways. All state is
 * in the store, so it can be stopped at any time, and several instances can share a store.
 *
 * @throws AuthorityError `OPTION_INVALID`, `ISSUER_INVALID`, `CLIENT_INVALID`, `POLICY_MISMATCH`, `DEMO_NOT_LOOPBACK`,
 *   `DATA_DIR_NOT_WRITABLE`, `KEYS_UNREADABLE`, `LISTEN_FAILED`; nothing is left open then
 * @throws PolicyError for a translation that cannot be used; nothing is left open then
 * @throws StoreError when the database cannot be used; nothing is left open then
 *
 * @example
 * ```ts
 * import { startAuthority } from '@behalf/authority';
 * import { readPolicy, readVocabulary } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const authority = await startAuthority({
 *   issuer: 'https://login.example',
 *   port: 4005,
 *   databaseUrl: process.env.DATABASE_URL ?? '',
 *   dataDir: '/var/lib/behalf',
 *   audience: 'https://api.example/graphql',
 *   policy: await readPolicy('policy.yaml'),
 *   policyFile: 'policy.yaml',
 *   translationFiles: ['policy.de.yaml'],
 *   vocabulary: readVocabulary(readFileSync('supergraph.graphql', 'utf8')),
 *   streamSecret: process.env.STREAM_SECRET ?? '',
 * });
 * process.once('SIGTERM', () => void authority.drain());
 * ```
 */
export async function startAuthority(options: AuthorityOptions): Promise<Authority> {
  await checkOptions(options);
  warnOfPolicy(options);
  const translations = await readTranslations(options.translationFiles ?? [], options.policy);
  const { audit, clock = systemClock, databaseUrl, host = '127.0.0.1', log = silentLog, port } = options;
  const max = options.maxConnections ?? 10;
  const db = openDatabase<AuthoritySchema>(databaseUrl, { max, applicationName: 'behalf-authority', log });
  const feed = new ChangeFeed(databaseUrl, log, 'change', clock);
  const expiryFeed = new ChangeFeed(databaseUrl, log, 'expiry', clock);
  // Until everything is ready, requests are refused.
  let route = refuseStarting;
  // The router refuses what has no Host, with a body.
  const server = createServer({ requireHostHeader: false }, (request, response) => route(request, response));
  const connections = new Connections(server);
  let cors: Cors | undefined;
  answerUnreadable(server, () => cors);
  const opened: (() => Promise<void>)[] = [() => db.destroy(), () => feed.close(), () => expiryFeed.close()];
  const closeAll = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  const { drainMs, notReadyMs } = shutdownTimes(options);
  const shutdown = new Shutdown(closeAll, clock);
  try {
    await migrateAuthority(db);
    // Before the first change, which makes the keys.
    opened.push(await startAuditRelay({ db, databaseUrl, auditUrl: audit?.database, log, clock }));
    const state = await prepareState(db, options, translations);
    opened.push(() => state.keys.close());
    await feed.open();
    state.keys.watch(feed);
    await expiryFeed.open();
    const url = await listenAt(server, host, port);
    opened.push(() => connections.close({ requestGraceMs: REQUEST_GRACE_MS, answerGraceMs: drainMs }));
    const issuer = options.issuer ?? url;
    const parts = assemble({ db, feed, issuer, state, shutdown, options: { ...options, log, clock } });
    await refuseUnusableClients(parts.oauth.provider, state.clients);
    const expiry = new ConsentExpiry({ consents: parts.consents, feed: expiryFeed, log, clock });
    opened.push(
      () => expiry.close(),
      () => parts.housekeeping.close(),
      () => parts.signIns.close(),
      () => parts.push.close(),
      async () => parts.transmitter.close(),
    );
    parts.push.start();
    ({ cors, route } = parts);
    await state.policy.start();
    opened.push(async () => state.policy.close());
    return {
      url,
      issuer,
      reloadPolicy: () => state.policy.reload(),
      drain: () => shutdown.drain(notReadyMs),
      close: () => shutdown.close(),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** @returns the origin @throws AuthorityError `LISTEN_FAILED` */
async function listenAt(server: Server, host: string, port: number): Promise<string> {
  try {
    return (await listen(server, host, port)).origin;
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new AuthorityError('LISTEN_FAILED', `The authority ${error.message}`, { cause: error });
  }
}

function refuseStarting(request: IncomingMessage, response: ServerResponse): void {
  if (answerStartingHealth(request, response)) return;
  const headers = { 'cache-control': 'no-store', 'retry-after': '1', connection: 'close' };
  const message = 'The authority is starting';
  sendJson(response, 503, { error: 'temporarily_unavailable', error_description: message }, headers);
}

/** Logs differences between policy and schema that do not stop the start, by the names of scopes and purposes only. */
function warnOfPolicy({ log = silentLog, policy, vocabulary }: AuthorityOptions): void {
  for (const { kind, name } of comparePolicyWithSchema(policy, vocabulary)) {
    log.log('warn', 'POLICY_SCHEMA_MISMATCH', { kind, name });
  }
}

/** oidc-provider checks a client's metadata on first use; this uses each client before anybody else can. */
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
      throw new AuthorityError('CLIENT_INVALID', message, { cause });
    }
  }
}
