import type { Delegation } from '@behalf/directives';
import { isRecord, withoutUndefined } from '@behalf/directives/internal';
import type { FieldAccess } from '@behalf/directives/internal';
import type { GraphQLSchema } from 'graphql';
import type { AccountableField } from '../authorize/index.js';
import { BYTES_PER_CHARACTER, ByteCache } from '../byte-cache.js';
import type { SentOperation } from '../subgraph-errors/sent-operation.js';
import type { MinimizedType } from '../supergraph/minimized-types.js';
import { compileFields } from './compile-fields.js';
import type { CompiledFields } from './compile-fields.js';
import { withHiddenFields } from './hidden-fields.js';
import type { MinimizedQuery } from './hidden-fields.js';
import { minimizeAnswer } from './minimize-answer.js';

export interface SubgraphMinimizationInput {
  /** The path of the subgraph's options, for errors. */
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly types: ReadonlyMap<string, MinimizedType>;
  /** Coordinates by which subgraphs join objects. */
  readonly joining: ReadonlySet<string>;
  readonly accountable: ReadonlyMap<string, AccountableField>;
  readonly pseudonymKey: Uint8Array | undefined;
  readonly isShadow: boolean;
  /** Is called for a value or an object that became null because it could not be read. */
  readonly onUnreadable: (coordinate: string) => void;
}

/** For one subgraph. Plans are reused, so it is asked the same operations again and again. */
const MAX_BYTES = 4 * 1024 * 1024;
const NOT_MINIMIZED: { readonly query?: MinimizedQuery | undefined } = Object.freeze({});

/**
 * Minimizes the answers of one subgraph that does not enforce rules itself, before they are joined with others: a field that is
 * computed from a minimized one gets the same input as from a protected subgraph.
 *
 * One instance per supergraph version and subgraph.
 */
export class SubgraphMinimization {
  readonly #fields: CompiledFields;
  readonly #queries = new ByteCache<{ readonly query?: MinimizedQuery | undefined }>(MAX_BYTES);
  readonly #input: SubgraphMinimizationInput;

  /** @throws {ConfigurationError} for a field that cannot be minimized here */
  constructor(input: SubgraphMinimizationInput) {
    this.#input = input;
    this.#fields = compileFields(input);
  }

  /**
   * The operation to send.
   *
   * @returns undefined if nothing in it is minimized
   * @throws {GraphQLError} if it does not parse
   */
  queryFor(query: string): MinimizedQuery | undefined {
    if (this.#fields.size === 0) return undefined;
    let known = this.#queries.get(query);
    if (known === undefined) {
      const { types, schema, isShadow } = this.#input;
      const hidden = withHiddenFields(query, types, schema);
      known = hidden === undefined ? NOT_MINIMIZED : { query: isShadow ? { ...hidden, query } : hidden };
      this.#queries.set(query, known, query.length, BYTES_PER_CHARACTER.document);
    }
    return known.query;
  }

  /** Minimizes an answer's data in place. @returns what is recorded of it */
  apply(
    data: Record<string, unknown>,
    { sent, prefix, variables, delegation, already }: AnsweredQuery,
  ): readonly FieldAccess[] {
    const { schema, types, accountable, isShadow, onUnreadable } = this.#input;
    const counts = minimizeAnswer(
      { data, sent, variables, delegation, prefix, isShadow, already },
      { schema, types, fields: this.#fields, onUnknownType: onUnreadable },
    );
    return counts.map(({ coordinate, statement, count }) =>
      withoutUndefined({
        coordinate,
        decision: isShadow ? ('would-minimize' as const) : ('minimized' as const),
        count,
        strategy: statement.to,
        level: statement.level,
        rule: accountable.get(coordinate)?.rule,
      }),
    );
  }
}

/** The operation that an answer is for. */
interface AnsweredQuery extends Pick<MinimizedQuery, 'prefix'> {
  readonly sent: SentOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly delegation: Delegation | undefined;
  /** Coordinates that the subgraph minimized itself. */
  readonly already: ReadonlySet<string>;
}

/**
 * The fields that the library minimized in an answer, by the facts that it returned with it: to minimize twice would give other
 * pseudonyms and more noise. Only what it says it minimized counts, each time that the field was resolved. In its shadow mode, for a
 * token that it refused, or if it knows another rule, it says something else.
 */
export function minimizedBySubgraph(facts: unknown): ReadonlySet<string> {
  const minimized = new Set<string>();
  const given = new Set<string>();
  if (!isRecord(facts) || facts.v !== 1 || !Array.isArray(facts.fields)) return minimized;
  for (const entry of facts.fields as readonly unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [coordinate, decision] = entry as readonly unknown[];
    if (typeof coordinate !== 'string') continue;
    if (decision === 'minimized') minimized.add(coordinate);
    else if (decision !== 'denied') given.add(coordinate);
  }
  for (const coordinate of given) minimized.delete(coordinate);
  return minimized;
}
