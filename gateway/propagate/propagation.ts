import type { Delegation } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { Exchange } from '../request/exchange.js';
import { AccessAccounts } from '../seal/accounts.js';

/** What the data sources know of one operation, and what they gather: on whose behalf subgraphs are asked, and what they report. */
export class Propagation {
  /** By subgraph; unused while tokens are bound to what is sent. */
  readonly txnTokens = new Map<string, string>();
  /** What the subgraphs say that they did. */
  readonly accounts = new AccessAccounts();

  constructor(
    readonly exchange: Exchange,
    readonly token: AuthenticatedToken | undefined,
    /** With the policies that were answered for this operation. */
    readonly delegation: Delegation | undefined,
  ) {}
}

/** Where it stands in the context that @apollo/gateway hands to data sources. */
export const PROPAGATION: unique symbol = Symbol('behalf.propagation');

export function propagationOf(context: unknown): Propagation | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const propagation = (context as { readonly [PROPAGATION]?: unknown })[PROPAGATION];
  return propagation instanceof Propagation ? propagation : undefined;
}
