import type { Delegation } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { Exchange } from '../request/exchange.js';
import { AccessAccounts } from './accounts.js';

/** The caller of one operation, and the subgraphs' reports, for the data sources. */
export class Propagation {
  /** By subgraph; unused if tokens are bound to requests. */
  readonly txnTokens = new Map<string, string>();
  /** The subgraphs' facts. */
  readonly accounts = new AccessAccounts();

  constructor(
    readonly exchange: Exchange,
    readonly token: AuthenticatedToken | undefined,
    /** With the policies evaluated for this operation. */
    readonly delegation: Delegation | undefined,
  ) {}
}

/** Its key in the context that @apollo/gateway passes to data sources. */
export const PROPAGATION: unique symbol = Symbol('behalf.propagation');

export function propagationOf(context: unknown): Propagation | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const propagation = (context as { readonly [PROPAGATION]?: unknown })[PROPAGATION];
  return propagation instanceof Propagation ? propagation : undefined;
}
