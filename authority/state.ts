import { randomBytes } from 'node:crypto';
import { systemClock, withoutUndefined } from '@behalf/directives/internal';
import { silentLog } from '@behalf/store/internal';
import type { Translation } from '@behalf/policy';
import { AccountRegister } from './accounts/register.js';
import { checkClients } from './clients/check.js';
import { encryptionKeyFrom } from './keys/encryption-key.js';
import { loadCookieKeys } from './keys/cookie-keys.js';
import { SigningKeyRing } from './keys/ring.js';
import { SealedSecrets } from './keys/sealed.js';
import { KEY_SCHEDULE } from './keys/times.js';
import { CurrentPolicy } from './clients/current-policy.js';
import { type AuthorityOptions, certificatesOf } from './options.js';
import type { AuthorityDatabase } from './schema.js';

/** Reads the state in the store; the first start creates it. */
export async function prepareState(
  db: AuthorityDatabase,
  options: AuthorityOptions,
  translations: readonly Translation[],
) {
  const { clients = [], clock = systemClock, dataDir, demoAccounts, log = silentLog } = options;
  const encryptionKey = options.encryptionKey ?? (await encryptionKeyFrom(dataDir ?? ''));
  const secrets = new SealedSecrets(db, encryptionKey);
  const schedule = { ...KEY_SCHEDULE, ...withoutUndefined(options.signingKeys ?? {}) };
  const keys = await SigningKeyRing.open({ db, secrets, schedule, log, clock });
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
    db,
    policy: options.policy,
    translations,
    file: options.policyFile,
    translationFiles: options.translationFiles ?? [],
    messages: options.messages,
    vocabulary: options.vocabulary,
    clients,
    accounts,
    rules: { certificates, profile: options.profile },
    log,
    clock,
  });
  return { secrets, keys, cookieKeys, dpopNonceKey, accounts, certificates, clients, policy };
}

export type State = Awaited<ReturnType<typeof prepareState>>;
