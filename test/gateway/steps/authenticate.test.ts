import { describe, expect, it } from 'vitest';
import type { AuthenticatedToken } from '../../../gateway/authenticate/token.js';
import type { PolicyCeiling } from '../../../gateway/authorize/ceiling.js';
import type { SuspensionCode, Suspensions } from '../../../revocation/suspensions.js';
import type { PolicyRules } from '../../../gateway/rules/policy-rules.js';
import { adopt, authenticate, refuseSuspended } from '../../../gateway/steps/authenticate.js';
import type { AuthenticationParts } from '../../../gateway/steps/authenticate.js';
import type { Incoming } from '../../../gateway/stages/stages.js';
import { authenticated, delegationOf, NO_RULES, refusalOf, standIn, tokenOf } from './support.js';

const TOKEN = tokenOf(delegationOf('a', 'b', 'c'));
const withScopes = (...scopes: readonly string[]): AuthenticatedToken => tokenOf(delegationOf(...scopes));
const without = (scope: string, { delegation }: AuthenticatedToken): AuthenticatedToken =>
  withScopes(...[...delegation.scopes].filter((name) => name !== scope));
const ceilingWithout = (scope: string): PolicyRules => ({
  ...NO_RULES,
  ceiling: standIn<PolicyCeiling>({ apply: (token: AuthenticatedToken) => without(scope, token) }),
});
const suspending = (scope: string, code?: SuspensionCode): Suspensions =>
  standIn<Suspensions>({
    withoutStopped: (token: AuthenticatedToken) => without(scope, token),
    codeFor: () => code,
  });

function parts(answer: unknown, more: Partial<AuthenticationParts> = {}): AuthenticationParts {
  return {
    authenticator: standIn({ authenticate: async () => answer }),
    rules: { current: NO_RULES },
    suspensions: undefined,
    ...more,
  };
}

const { exchange, usage } = authenticated();
const incoming: Incoming = { exchange, usage, isAuthenticated: false };

describe('authenticate', () => {
  it('knows nobody without credentials', async () => {
    const stage = await authenticate(incoming, parts(undefined, { suspensions: suspending('a') }));
    expect(stage).toEqual({
      exchange,
      usage,
      isAuthenticated: true,
      verified: undefined,
      rules: NO_RULES,
      token: undefined,
      delegation: undefined,
      nextNonce: undefined,
      isCounted: false,
    });
  });

  it('takes the delegation from the token, and the nonce for the answer', async () => {
    const stage = await authenticate(incoming, parts({ token: TOKEN, nextNonce: 'n' }));
    expect(stage).toMatchObject({ isAuthenticated: true, isCounted: false, nextNonce: 'n' });
    expect([stage.verified, stage.token, stage.delegation]).toEqual([TOKEN, TOKEN, TOKEN.delegation]);
  });

  it('shows the credentials of the request to the authenticator', async () => {
    const seen: unknown[] = [];
    const authenticator = standIn<AuthenticationParts['authenticator']>({
      authenticate: async (shown: unknown) => void seen.push(shown),
    });
    await authenticate(incoming, parts(undefined, { authenticator }));
    expect(seen).toEqual([exchange.incoming]);
  });

  it('takes suspended scopes and those beyond the ceiling away, and keeps the token as the issuer made it', async () => {
    const rules = ceilingWithout('b');
    const stage = await authenticate(
      incoming,
      parts({ token: TOKEN }, { rules: { current: rules }, suspensions: suspending('a') }),
    );
    expect([...(stage.delegation?.scopes ?? [])]).toEqual(['c']);
    expect([...(stage.token?.delegation.scopes ?? [])]).toEqual(['c']);
    expect(stage.verified).toBe(TOKEN);
    expect(stage.rules).toBe(rules);
  });
});

describe('adopt', () => {
  it('leaves a caller alone whose rules are still in force', () => {
    const caller = authenticated(TOKEN);
    expect(adopt(caller, NO_RULES, parts(undefined, { suspensions: suspending('a') }))).toBe(caller);
  });

  it('cuts the issuer’s token anew, so that no decision mixes two versions', () => {
    const caller = { ...authenticated(TOKEN), token: withScopes('c'), delegation: delegationOf('c') };
    const rules = ceilingWithout('c');
    const adopted = adopt(caller, rules, parts(undefined, { suspensions: suspending('a') }));
    expect(adopted.rules).toBe(rules);
    expect([...(adopted.delegation?.scopes ?? [])]).toEqual(['b']);
    expect([...(adopted.token?.delegation.scopes ?? [])]).toEqual(['b']);
    expect(adopted.exchange).toBe(caller.exchange);
  });

  it('still knows nobody without a token', () => {
    const adopted = adopt(authenticated(), ceilingWithout('a'), parts(undefined));
    expect([adopted.token, adopted.delegation]).toEqual([undefined, undefined]);
  });
});

describe('refuseSuspended', () => {
  it.each<[SuspensionCode, number]>([
    ['CLIENT_SUSPENDED', 403],
    ['EMERGENCY_STOP', 503],
  ])('refuses with %s and %i', async (code, status) => {
    const refused = await refusalOf(() =>
      refuseSuspended(authenticated(TOKEN), parts(undefined, { suspensions: suspending('a', code) })),
    );
    expect(refused).toMatchObject({ code, status });
  });

  it('lets pass who is not suspended, who has no token, and everybody without a stream', () => {
    const caller = authenticated(TOKEN);
    expect(refuseSuspended(caller, parts(undefined, { suspensions: suspending('a') }))).toBe(caller);
    expect(refuseSuspended(caller, parts(undefined))).toBe(caller);
    const nobody = authenticated();
    const stopped = parts(undefined, { suspensions: suspending('a', 'EMERGENCY_STOP') });
    expect(refuseSuspended(nobody, stopped)).toBe(nobody);
  });
});
