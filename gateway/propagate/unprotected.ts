import { nearest, withoutUndefined } from '@behalf/directives/internal';
import type { AccountableField, OperationAuthorizer } from '../authorize/index.js';
import type { GatewayLog } from '../log.js';
import type { SubgraphHeaders } from './subgraph-headers.js';
import { optionsOfSubgraph } from './subgraph-options.js';
import type { SubgraphsOptions } from './subgraph-options.js';

/** More subgraphs than any federation has: names come from supergraphs, of which there may be many over time. */
const MAX_TOLD = 10_000;

type Reason = 'NO_RULES' | 'NO_ACCOUNT';

/**
 * Logs which subgraphs enforce nothing themselves, each once. The gateway still enforces its rules, but anyone who reaches such
 * a subgraph directly reads everything.
 */
export class UnprotectedSubgraphs {
  readonly #log: GatewayLog;
  readonly #headers: ReadonlyMap<string, SubgraphHeaders>;
  /** By subgraph: the reason in its line. */
  readonly #told = new Map<string, Reason>();
  readonly #unknown = new Set<string>();
  /** Subgraphs that need no minimizing at the gateway. */
  readonly #protected = new Set<string>();
  readonly #subgraphs: SubgraphsOptions;

  constructor(
    headers: ReadonlyMap<string, SubgraphHeaders>,
    log: GatewayLog,
    subgraphs: SubgraphsOptions = {},
  ) {
    this.#headers = headers;
    this.#subgraphs = subgraphs;
    this.#log = log;
  }

  /** Reports the subgraphs without a rule in a supergraph that is now served. */
  tellOf({ accountable }: Pick<OperationAuthorizer, 'accountable'>): void {
    for (const [subgraph, fields] of accountable) {
      const hasRules = [...fields.values()].some(hasRule);
      if (!hasRules) this.#tell(subgraph, 'NO_RULES');
      // It has rules by now. If it does not enforce them, that is news.
      else if (this.#told.get(subgraph) === 'NO_RULES') this.#told.delete(subgraph);
    }
    // A misspelt name in the configuration leaves its subgraph without its headers.
    for (const subgraph of this.#headers.keys()) {
      if (accountable.has(subgraph) || this.#unknown.has(subgraph)) continue;
      this.#unknown.add(subgraph);
      const meant = nearest(subgraph, [...accountable.keys()]);
      this.#log.log('warn', 'SUBGRAPH_UNKNOWN', withoutUndefined({ subgraph, meant }));
    }
  }

  /** A subgraph answered a request with a transaction token without facts: it does not run the library. */
  tellNoAccount(subgraph: string): void {
    this.#tell(subgraph, 'NO_ACCOUNT');
  }

  /** A subgraph whose values the gateway should minimize returned facts: it does so itself. */
  tellProtected(subgraph: string): void {
    if (this.#protected.has(subgraph) || this.#protected.size >= MAX_TOLD) return;
    this.#protected.add(subgraph);
    this.#log.log('warn', 'SUBGRAPH_MINIMIZES', { subgraph });
  }

  #tell(subgraph: string, reason: Reason): void {
    if (this.#told.has(subgraph) || this.#told.size >= MAX_TOLD) return;
    this.#told.set(subgraph, reason);
    const identityHeaders = this.#headers.get(subgraph)?.identityNames.join(' ') ?? '';
    this.#log.log(
      'warn',
      'SUBGRAPH_UNPROTECTED',
      withoutUndefined({
        subgraph,
        reason,
        identityHeaders: identityHeaders === '' ? undefined : identityHeaders,
        minimizedAtGateway:
          optionsOfSubgraph(this.#subgraphs, subgraph).minimizeAtGateway === true ? true : undefined,
      }),
    );
  }
}

function hasRule({ rule, minimization, isOwned }: AccountableField): boolean {
  return rule !== undefined || minimization !== undefined || isOwned;
}
