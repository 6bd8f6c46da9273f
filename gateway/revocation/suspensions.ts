import type { Delegation } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import { holdersOf } from './holders.js';

/** What is stopped until it is resumed: a client, a scope in everybody's hands, or everything of an issuer. */
export type Suspended =
  | { readonly kind: 'client'; readonly clientId: string }
  | { readonly kind: 'scope'; readonly scope: string }
  | { readonly kind: 'everything' };

/** Stable codes, for the client and the log. */
export type SuspensionCode = 'CLIENT_SUSPENDED' | 'EMERGENCY_STOP';

/** Standing, each until somebody lifts it by hand; more than these are a mistake. */
const MAX_STANDING = 10_000;

interface Standing {
  readonly clients: Map<string, number>;
  readonly scopes: Map<string, number>;
  readonly everything: Map<string, number>;
  /** Counts the streams: each begins with all that stands. */
  stream: number;
}

interface Cut {
  readonly version: number;
  readonly token: AuthenticatedToken;
}

/**
 * The suspensions that stand, by issuer. They do not age as revocations do: a suspended client's next token would be as
 * unwelcome as its present one. Nothing is revoked by them: what still lives when they are lifted is good again.
 */
export class Suspensions {
  readonly #byIssuer = new Map<string, Standing>();
  /** By the verified token, which is kept as long as it is alive. */
  readonly #cuts = new WeakMap<AuthenticatedToken, Cut>();
  #version = 0;

  get size(): number {
    let size = 0;
    for (const { clients, scopes, everything } of this.#byIssuer.values()) {
      size += clients.size + scopes.size + everything.size;
    }
    return size;
  }

  /** @returns false when there is no room: then it is not in force, and nothing may be permitted. */
  suspend(issuer: string, what: Suspended): boolean {
    const { names, name, stream } = this.#place(issuer, what);
    if (!names.has(name) && this.size >= MAX_STANDING) return false;
    names.set(name, stream);
    this.#version += 1;
    return true;
  }

  resume(issuer: string, what: Suspended): void {
    const { names, name } = this.#place(issuer, what);
    if (names.delete(name)) this.#version += 1;
  }

  /** The issuer is heard over a new stream, which begins with all that stands: what was lifted meanwhile is not in it. */
  beginStream(issuer: string): void {
    this.#of(issuer).stream += 1;
  }

  /** Everything that the stream began with was heard. */
  endOfBeginning(issuer: string): void {
    const { clients, scopes, everything, stream } = this.#of(issuer);
    for (const names of [clients, scopes, everything]) {
      for (const [name, heardOver] of names) {
        if (heardOver === stream) continue;
        names.delete(name);
        this.#version += 1;
      }
    }
  }

  /** Why nothing is done for this token at present, or undefined. */
  codeFor({ issuer, delegation, issuerDelegation }: AuthenticatedToken): SuspensionCode | undefined {
    const standing = this.#byIssuer.get(issuer);
    if (standing === undefined) return undefined;
    if (standing.everything.size > 0) return 'EMERGENCY_STOP';
    const isSuspended = holdersOf(issuerDelegation ?? delegation).some((holder) =>
      standing.clients.has(holder),
    );
    return isSuspended ? 'CLIENT_SUSPENDED' : undefined;
  }

  /** The token as if it had never held a scope that is stopped. All that is decided later is decided on this. */
  withoutStopped(token: AuthenticatedToken): AuthenticatedToken {
    const stopped = this.#byIssuer.get(token.issuer)?.scopes;
    if (stopped === undefined || stopped.size === 0) return token;
    const known = this.#cuts.get(token);
    if (known?.version === this.#version) return known.token;
    const cut = { ...token, delegation: without(token.delegation, stopped) };
    this.#cuts.set(token, { version: this.#version, token: cut });
    return cut;
  }

  #of(issuer: string): Standing {
    let standing = this.#byIssuer.get(issuer);
    if (standing === undefined) {
      standing = { clients: new Map(), scopes: new Map(), everything: new Map(), stream: 0 };
      this.#byIssuer.set(issuer, standing);
    }
    return standing;
  }

  #place(issuer: string, what: Suspended) {
    const { clients, scopes, everything, stream } = this.#of(issuer);
    switch (what.kind) {
      case 'client':
        return { names: clients, name: what.clientId, stream };
      case 'scope':
        return { names: scopes, name: what.scope, stream };
      case 'everything':
        return { names: everything, name: '', stream };
    }
  }
}

function without(delegation: Delegation, stopped: ReadonlyMap<string, number>): Delegation {
  return { ...delegation, scopes: new Set([...delegation.scopes].filter((scope) => !stopped.has(scope))) };
}
