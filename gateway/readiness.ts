import type { ErrorDescription } from '@behalf/directives/internal';
import { Readiness } from '@behalf/http/internal';
import type { Settings } from './options/settings.js';
import type { Protection } from './protection.js';
import type { SupergraphVersions } from './supergraph-versions.js';

/** Why a gateway is not ready: members of `notReady` in the answer of `/health/ready`. */
export const readinessCodes = Object.freeze({
  SUPERGRAPH_MISSING: {
    description: 'The gateway has no supergraph: it was not loaded yet, or the gateway has stopped.',
    since: '0.1.0',
  },
  SIGNING_KEY_MISSING: {
    description: 'The gateway has no key to sign transaction tokens with, so it cannot call subgraphs.',
    since: '0.1.0',
  },
  REVOCATION_STATE_STALE: {
    description: 'The gateway does not know recent revocations, so it permits nothing.',
    since: '0.1.0',
  },
  ISSUER_KEYS_UNAVAILABLE: {
    description:
      'Tokens of no issuer can be verified, so every token is refused with 503: neither are its keys available, nor does it answer introspections. The log names each issuer and the reason.',
    since: '0.1.0',
  },
  AUDIT_UNAVAILABLE: {
    description: 'Audit mode `required`: records cannot be stored, so no data is returned.',
    since: '0.1.0',
  },
  REPLAY_STORE_UNAVAILABLE: {
    description:
      'Every token must be bound to a key (`dpop.required: true`), and used proofs cannot be stored, so every token is refused.',
    since: '0.1.0',
  },
  STARTING: { description: 'The server listens, and is not complete yet.', since: '0.1.0' },
  DRAINING: {
    description: 'The server is ending: it answers what it gets, and must get no new requests.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of `notReady`. The codes are stable. */
export type ReadinessCode = keyof typeof readinessCodes;

/** Those that a gateway determines itself; the others are its server's. */
type CheckedCode = Exclude<ReadinessCode, 'STARTING' | 'DRAINING'>;

interface Checked {
  readonly settings: Settings;
  readonly protection: Pick<
    Protection,
    'audit' | 'revocations' | 'signer' | 'issuers' | 'isDpopAlwaysRequired'
  >;
  readonly versions: Pick<SupergraphVersions, 'current' | 'isStopped'>;
}

/** The conditions without which nobody, or nobody with a token, is served. One subgraph or issuer that is down is not one. */
export function gatewayReadiness({ settings, protection, versions }: Checked): Readiness<CheckedCode> {
  const { audit, revocations, signer, issuers, isDpopAlwaysRequired } = protection;
  const { store } = settings.dpop.replay;
  return new Readiness<CheckedCode>(
    {
      SUPERGRAPH_MISSING: () => versions.current !== undefined && !versions.isStopped,
      SIGNING_KEY_MISSING: () => signer.hasKey,
      REVOCATION_STATE_STALE: () => revocations?.view.isFresh() ?? true,
      ISSUER_KEYS_UNAVAILABLE: () => issuers.canVerify(),
      AUDIT_UNAVAILABLE: async () => {
        if (audit.mode === 'required') await audit.check();
        return true;
      },
      REPLAY_STORE_UNAVAILABLE: async () => {
        if (isDpopAlwaysRequired) await store.check?.();
        return true;
      },
    },
    settings.clock,
  );
}
