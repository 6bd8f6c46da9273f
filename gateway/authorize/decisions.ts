import { BYTES_PER_CHARACTER, ByteCache, documentLength } from '../byte-cache.js';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { denialsOf } from './denials.js';
import { filterOperation } from './filter.js';
import type { FilteredOperation } from './filter.js';
import type { FilterRefusals } from './filter-refusals.js';
import type { ClientOperation, Denial } from './types.js';

/** An operation and what is known of it before anybody asks to run it. */
export interface KnownOperation {
  readonly key: string;
  readonly analysis: OperationAnalysis;
  /** The length of the document's text. */
  readonly characters: number;
}

/** The decision on an operation, shared by all callers who meet the same of its requirements. */
export interface Decision {
  /** The analysis that it was made by. */
  readonly analysis: OperationAnalysis;
  readonly filtered: FilteredOperation;
  readonly denials: readonly Denial[];
}

/** Analyses operations and decides on them, and keeps what others may ask for again. */
export class Decisions {
  readonly #operations: ByteCache<KnownOperation>;
  readonly #decisions: ByteCache<Decision>;
  readonly #analyze: (client: ClientOperation) => OperationAnalysis;

  /** @param cacheBytes Estimated, for the operations, and as many for the decisions. */
  constructor(cacheBytes: number, analyze: (client: ClientOperation) => OperationAnalysis) {
    this.#operations = new ByteCache(cacheBytes);
    this.#decisions = new ByteCache(cacheBytes);
    this.#analyze = analyze;
  }

  /** A cached operation, or a new one that is not cached yet. */
  read(client: ClientOperation): KnownOperation {
    const key = `${client.queryHash} ${client.operation.name?.value ?? ''}`;
    return (
      this.#operations.get(key) ?? {
        key,
        analysis: this.#analyze(client),
        characters: documentLength(client.document),
      }
    );
  }

  keep(operation: KnownOperation): void {
    if (this.#operations.get(operation.key) !== undefined) return;
    const perCharacter = BYTES_PER_CHARACTER.document + BYTES_PER_CHARACTER.analysis;
    this.#operations.set(operation.key, operation, operation.characters, perCharacter);
  }

  /**
   * @param met For each requirement of the operation, whether it is met.
   * @param filters The arguments that may not be used.
   * @param keeps Whether the operation and the decision may be kept for the next caller.
   */
  decide(
    operation: KnownOperation,
    met: readonly boolean[],
    conditions: Conditions,
    filters: FilterRefusals,
    keeps: (filtered: FilteredOperation) => boolean,
  ): Decision {
    const { analysis, characters } = operation;
    const vector = met.map((isPermitted) => (isPermitted ? '1' : '0')).join('');
    const key = `${operation.key} ${vector} ${conditions.key} ${filters.key}`;
    const known = this.#decisions.get(key);
    // A decision that outlived its operation refers to nodes of another document.
    if (known?.analysis === analysis) return known;
    // `met` has an entry for every requirement; only exactly true permits.
    const filtered = filterOperation(analysis, (index) => met[index] === true, conditions, filters.refused);
    const decision = { analysis, filtered, denials: denialsOf(analysis, filtered) };
    if (keeps(filtered)) {
      this.keep(operation);
      this.#decisions.set(key, decision, characters, BYTES_PER_CHARACTER.decision);
    }
    return decision;
  }

  /** How much is kept; the bytes are estimated. */
  get kept(): { readonly operations: number; readonly decisions: number; readonly bytes: number } {
    return {
      operations: this.#operations.count,
      decisions: this.#decisions.count,
      bytes: this.#operations.bytes + this.#decisions.bytes,
    };
  }
}
