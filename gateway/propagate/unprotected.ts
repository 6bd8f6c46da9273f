import { withoutUndefined } from '@behalf/directives/internal';
import type { AccountableField, OperationAuthorizer } from '../authorize/index.js';
import type { GatewayLog } from '../log.js';
import type { SubgraphHeaders } from './subgraph-headers.js';

/** More subgraphs than any federation has: names come from supergraphs, of which there may be many over time. */
const MAX_TOLD = 10_000;

/**
 * Logs which subgraphs enforce nothing themselves, each once. The gateway still enforces its rules, but anyone who reaches such
 * a subgraph directly reads everything.
 */
export class UnprotectedSubgraphs {
  readonly #log: GatewayLog;
  readonly #headers: ReadonlyMap<string, SubgraphHeaders>;
  readonly #told = new Set<string>();

  constructor(headers: ReadonlyMap<string, SubgraphHeaders>, log: GatewayLog) {
    this.#headers = headers;
    this.#log = log;
  }

  /** Reports the subgraphs without a rule in a supergraph that is now served. */
  tellOf({ accountable }: Pick<OperationAuthorizer, 'accountable'>): void {
    for (const [subgraph, fields] of accountable)
      if (![...fields.values()].some(hasRule)) this.#tell(subgraph, 'NO_RULES');
    // A misspelt name in the configuration leaves its subgraph without its headers.
    for (const subgraph of this.#headers.keys())
      if (!accountable.has(subgraph) && this.#isNew(`${subgraph} unknown`))
        this.#log.log('warn', 'SUBGRAPH_UNKNOWN', { subgraph });
  }

  /** A subgraph answered a request with a transaction token without facts: it does not run the library. */
  tellNoAccount(subgraph: string): void {
    this.#tell(subgraph, 'NO_ACCOUNT');
  }

  #tell(subgraph: string, reason: 'NO_RULES' | 'NO_ACCOUNT'): void {
    if (!this.#isNew(`${subgraph} ${reason}`)) return;
    const identityHeaders = this.#headers.get(subgraph)?.identityNames.join(' ') ?? '';
    this.#log.log(
      'warn',
      'SUBGRAPH_UNPROTECTED',
      withoutUndefined({
        subgraph,
        reason,
        identityHeaders: identityHeaders === '' ? undefined : identityHeaders,
      }),
    );
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what) || this.#told.size >= MAX_TOLD) return false;
    this.#told.add(what);
    return true;
  }
}

function hasRule({ rule, strategy, isOwned }: AccountableField): boolean {
  return rule !== undefined || strategy !== undefined || isOwned;
}
