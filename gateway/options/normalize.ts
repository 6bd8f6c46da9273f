import { randomBytes } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { isRecord, kindOf, systemClock } from '@behalf/directives/internal';
import type { DpopSettings } from '../authenticate/dpop/options.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import { ConfigurationError } from '../errors.js';
import { jsonLog } from '../log.js';
import { functionEvaluator } from '../policies/index.js';
import type { PolicyEvaluator } from '../policies/index.js';
import { MemoryProofReplayStore, PostgresProofReplayStore } from '../proof-replay/index.js';
import type { ProofReplayStore } from '../proof-replay/index.js';
import type { AuditSettings } from '../seal/audit-options.js';
import { readBreakGlass } from '../seal/break-glass.js';
import { refuseContradictions } from './contradictions.js';
import { Extras } from './extras.js';
import type { ProtectionOptions } from './protection-options.js';
import type { CheckedOptions, Settings } from './settings.js';
import { checkShape } from './validate.js';

/**
 * Completes and checks the library's options, in this one place.
 *
 * @throws {ConfigurationError} with the path of the option
 */
export function normalizeOptions(options: ProtectionOptions): Settings {
  const extras = new Extras();
  if (!isRecord(options))
    throw new ConfigurationError('', `the options must be an object, not ${kindOf(options)}`);
  const shaped = checkShape(options, 'library', (value, path) => extras.take(value, path)) as CheckedOptions;
  const { propagation } = shaped;
  if (propagation.issuer === undefined) throw new ConfigurationError('propagation.issuer', 'is missing');
  refuseContradictions(shaped, extras);
  const clock = extras.get('clock') ?? systemClock;
  return {
    issuers: shaped.issuers.map((issuer, index) => withPrivateKey(issuer, index, extras)),
    propagation: {
      issuer: propagation.issuer,
      tokenLifetimeSeconds: propagation.tokenLifetimeSeconds,
      bind: propagation.bind,
      key: extras.get('propagation.key'),
      rotateKeysAfterSeconds: propagation.rotateKeysAfterSeconds,
      passOn: propagation.passOn,
    },
    authorization: shaped.authorization,
    introspection: shaped.introspection,
    limits: { ...shaped.limits, planInWorker: extras.get('limits.planInWorker') === true },
    externalUrl: shaped.externalUrl,
    dpop: dpopSettings(shaped.dpop, extras, clock),
    knowsClientCertificates: extras.get('knowsClientCertificates') === true,
    revocation:
      shaped.revocation === undefined
        ? undefined
        : { ...shaped.revocation, instance: shaped.revocation.instance },
    audit: auditSettings(shaped.audit, extras, clock),
    policies: {
      functions: policyFunctions(extras),
      evaluators: extras.get('policies.evaluators') ?? [],
      timeoutMs: shaped.policies.timeoutMs,
    },
    policy: extras.get('policy'),
    subgraphs: shaped.subgraphs,
    subgraphErrors: shaped.subgraphErrors,
    hooks: { onRevocation: extras.get('onRevocation'), onConsentChange: extras.get('onConsentChange') },
    log: extras.get('log') ?? jsonLog(shaped.log.level, undefined, clock),
    clock,
  };
}

function withPrivateKey(issuer: IssuerOptions, index: number, extras: Extras): IssuerOptions {
  const privateKey = extras.privateKeyFor(index);
  if (issuer.introspection === undefined || privateKey === undefined) return issuer;
  return { ...issuer, introspection: { ...issuer.introspection, privateKey } };
}

function dpopSettings(dpop: CheckedOptions['dpop'], extras: Extras, clock: Clock): DpopSettings {
  const { required, algorithms, nonce, nonceKey, proofLifetimeSeconds, database, maxReplayEntries } = dpop;
  const given = extras.get('dpop.replay');
  const openReplay = (): ProofReplayStore =>
    database === undefined
      ? new MemoryProofReplayStore({ maxEntries: maxReplayEntries, clock })
      : new PostgresProofReplayStore({ databaseUrl: database, maxEntries: maxReplayEntries, clock });
  return {
    required,
    algorithms,
    nonce,
    nonceKey: extras.get('dpop.nonceKey') ?? decodedKey(nonceKey),
    proofLifetimeSeconds,
    replay: given === undefined ? { store: openReplay(), isOwn: true } : { store: given, isOwn: false },
  };
}

/** @throws {ConfigurationError} if the destination of records is missing */
function auditSettings(audit: CheckedOptions['audit'], extras: Extras, clock: Clock): AuditSettings {
  if (audit === undefined || audit.mode === 'off') return { mode: 'off' };
  const { mode, file, database, anonymous, breakGlass } = audit;
  const sink = extras.get('audit.sink');
  const destination =
    sink !== undefined
      ? { sink }
      : database !== undefined
        ? { database }
        : file !== undefined
          ? { file }
          : undefined;
  if (destination === undefined)
    throw new ConfigurationError('audit', `mode ${mode} needs "database" or "file"`);
  const pseudonymKey = extras.get('audit.pseudonymKey') ?? decodedKey(audit.pseudonymKey) ?? randomBytes(32);
  return {
    mode,
    destination,
    pseudonymKey,
    anonymous,
    breakGlass: breakGlass === undefined ? undefined : readBreakGlass(breakGlass, mode, clock.now()),
  };
}

function decodedKey(base64url: string | undefined): Uint8Array | undefined {
  return base64url === undefined ? undefined : Buffer.from(base64url, 'base64url');
}

function policyFunctions(extras: Extras): readonly PolicyEvaluator[] {
  const functions = extras.get('policies.functions');
  return functions === undefined ? [] : [functionEvaluator(functions)];
}
