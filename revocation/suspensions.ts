import type { Delegation } from '@behalf/directives';
import { holdersOf } from './holders.js';
import type { RevocableToken } from './token.js';

/** A target that is stopped until it is resumed: a client, a scope for everybody, or everything of an issuer. */
export type Suspended =
  | { readonly kind: 'client'; readonly clientId: string }
  | { readonly kind: 'scope'; readonly scope: string }
  | { readonly kind: 'everything' };

/** Stable codes, for the client and the log. */
export type SuspensionCode = 'CLIENT_SUSPENDED' | 'EMERGENCY_STOP';

/** In force at a time. Each was imposed by hand, so more than these are a mistake. */
const MAX_STANDING = 10_000;

interface Standing {
  readonly clients: Map<string, number>;
  readonly scopes: Map<string, number>;
  readonly everything: Map<string, number>;
  /** Counts the streams: each begins with all current suspensions. */
  stream: number;
}

interface Cut {
  readonly version: number;
  readonly token: RevocableToken;
}

/**
 * The suspensions in force, by issuer. Unlike revocations they do not expire: a suspended client's next token is as unwelcome
 * as its present one. They revoke nothing: unexpired tokens are valid again when they are lifted.
 */
export class Suspensions {
  readonly #byIssuer = new Map<string, Standing>();
  /** By verified token, which lives as long as its cache entry. */
  readonly #cuts = new WeakMap<RevocableToken, Cut>();
  #version = 0;

  get size(): number {
    let size = 0;
    for (const { clients, scopes, everything } of this.#byIssuer.values()) {
      size += clients.size + scopes.size + everything.size;
    }
    return size;
  }

  /** @returns false if there is no room: it is then not in force, and nothing may be permitted */
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

  /** A new stream begins with all current suspensions, so those that it omits were lifted. */
  beginStream(issuer: string): void {
    this.#of(issuer).stream += 1;
  }

  /** Everything that the stream began with was received. */
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

  /** Why this token is refused at present, or undefined. */
  codeFor({ issuer, delegation, issuerDelegation }: RevocableToken): SuspensionCode | undefined {
    const standing = this.#byIssuer.get(issuer);
    if (standing === undefined) return undefined;
    if (standing.everything.size > 0) return 'EMERGENCY_STOP';
    const isSuspended = holdersOf(issuerDelegation ?? delegation).some((holder) =>
      standing.clients.has(holder),
    );
    return isSuspended ? 'CLIENT_SUSPENDED' : undefined;
  }

  /** The token as if it had never held a stopped scope. All later decisions use this one. */
  withoutStopped<Token extends RevocableToken>(token: Token): Token {
    const stopped = this.#byIssuer.get(token.issuer)?.scopes;
    if (stopped === undefined || stopped.size === 0) return token;
    const known = this.#cuts.get(token);
    // The cut of this very token, and so of its type.
    if (known?.version === this.#version) return known.token as Token;
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
