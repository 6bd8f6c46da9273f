import { GraphQLError, Kind } from 'graphql';
import type {
  DirectiveNode,
  DocumentNode,
  FragmentDefinitionNode,
  NameNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from '../fragments.js';

/** Counts of an operation or a selection set, with fragments expanded. */
export interface SelectionCounts {
  readonly selections: number;
  readonly depth: number;
  /** Levels of selection sets: of fields, of inline fragments and of fragments. */
  readonly nesting: number;
  /** Its own fields. */
  readonly rootFields: number;
  readonly aliases: number;
  readonly directives: number;
}

export interface OperationCounts extends SelectionCounts {
  readonly variables: number;
}

export interface DocumentCounts {
  readonly definitions: number;
  readonly conditions: number;
  readonly directivesPerLocation: number;
  /** Length of the longest alias or variable name. */
  readonly nameLength: number;
  /** Totals over all definitions, unused fragments included. */
  readonly selections: number;
  readonly operations: ReadonlyMap<OperationDefinitionNode, OperationCounts>;
  /** Every operation, and every fragment that none of them spreads. */
  readonly roots: readonly SelectionSetNode[];
  /** Maxima over every operation, and every fragment that none of them spreads. */
  readonly largest: OperationCounts;
}

const NOTHING: OperationCounts = Object.freeze({
  selections: 0,
  depth: 0,
  nesting: 0,
  rootFields: 0,
  aliases: 0,
  directives: 0,
  variables: 0,
});

/** Doubling fragments reach any number; beyond this one, numbers are not distinguished, and all exceed every limit. */
export const add = (one: number, other: number): number => Math.min(one + other, Number.MAX_SAFE_INTEGER);

const counted = new WeakMap<DocumentNode, DocumentCounts>();

/**
 * Counts a document as if every fragment were expanded where it is spread, without expanding any: each is counted once, so the
 * work grows with the length of the document. It need not be valid. Counts live as long as the document.
 *
 * It recurses for each level of selection sets and each fragment in a chain, so nesting and definitions must be limited before.
 *
 * @throws {GraphQLError} `GRAPHQL_VALIDATION_FAILED` for a fragment cycle, which has no number
 */
export function countDocument(document: DocumentNode): DocumentCounts {
  let counts = counted.get(document);
  if (counts === undefined) {
    counts = new DocumentCounter(document).count();
    counted.set(document, counts);
  }
  return counts;
}

class DocumentCounter {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** `counting` marks a fragment in progress: meeting it again means a cycle. */
  readonly #fragmentCounts = new Map<string, SelectionCounts | 'counting'>();
  readonly #conditions = new Set<string>();
  #directivesPerLocation = 0;
  #nameLength = 0;
  readonly #document: DocumentNode;

  constructor(document: DocumentNode) {
    this.#document = document;
    this.#fragments = fragmentsOf(document);
  }

  count(): DocumentCounts {
    const operations = new Map<OperationDefinitionNode, OperationCounts>();
    const roots: SelectionSetNode[] = [];
    let selections = 0;
    let largest = NOTHING;
    for (const definition of this.#document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const counts = this.#countOperation(definition);
      operations.set(definition, counts);
      roots.push(definition.selectionSet);
      selections = add(selections, counts.selections);
      largest = larger(largest, counts);
    }
    for (const definition of this.#document.definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
      const name = definition.name.value;
      const isHidden = this.#fragments.get(name) !== definition;
      // Validation also reads unused fragments, and all of several with one name.
      if (!isHidden && this.#fragmentCounts.has(name)) continue;
      const counts = isHidden ? this.#countSelections(definition.selectionSet) : this.#countFragment(name);
      roots.push(definition.selectionSet);
      selections = add(selections, counts.selections);
      largest = larger(largest, { ...counts, rootFields: 0, variables: 0 });
    }
    return {
      definitions: this.#document.definitions.length,
      conditions: this.#conditions.size,
      directivesPerLocation: this.#directivesPerLocation,
      nameLength: this.#nameLength,
      selections,
      operations,
      roots,
      largest,
    };
  }

  #countOperation(operation: OperationDefinitionNode): OperationCounts {
    const variables = operation.variableDefinitions ?? [];
    let directives = this.#countDirectives(operation.directives);
    for (const { variable, directives: given } of variables) {
      directives += this.#countDirectives(given);
      this.#measureName(variable.name);
    }
    const counts = this.#countSelections(operation.selectionSet);
    return { ...counts, directives: add(counts.directives, directives), variables: variables.length };
  }

  #countSelections(set: SelectionSetNode): SelectionCounts {
    const total = { selections: 0, depth: 0, nesting: 0, rootFields: 0, aliases: 0, directives: 0 };
    for (const selection of set.selections) {
      const counts = this.#countSelection(selection);
      total.selections = add(total.selections, counts.selections);
      total.depth = Math.max(total.depth, counts.depth);
      total.nesting = Math.max(total.nesting, counts.nesting);
      total.rootFields = add(total.rootFields, counts.rootFields);
      total.aliases = add(total.aliases, counts.aliases);
      total.directives = add(total.directives, counts.directives);
    }
    return { ...total, nesting: total.nesting + 1 };
  }

  #countSelection(selection: SelectionNode): SelectionCounts {
    const directives = this.#countDirectives(selection.directives);
    const within =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? this.#countFragment(selection.name.value)
        : selection.selectionSet === undefined
          ? NOTHING
          : this.#countSelections(selection.selectionSet);
    const isField = selection.kind === Kind.FIELD;
    if (isField && selection.alias !== undefined) this.#measureName(selection.alias);
    return {
      selections: add(within.selections, 1),
      depth: within.depth + (isField ? 1 : 0),
      nesting: within.nesting,
      rootFields: isField ? 1 : within.rootFields,
      aliases: add(within.aliases, isField && selection.alias !== undefined ? 1 : 0),
      directives: add(within.directives, directives),
    };
  }

  #countFragment(name: string): SelectionCounts {
    const known = this.#fragmentCounts.get(name);
    if (known === 'counting') throw circular(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    // Validation reports that it is missing.
    if (fragment === undefined) return NOTHING;
    this.#fragmentCounts.set(name, 'counting');
    const directives = this.#countDirectives(fragment.directives);
    const counts = this.#countSelections(fragment.selectionSet);
    const all = { ...counts, directives: add(counts.directives, directives) };
    this.#fragmentCounts.set(name, all);
    return all;
  }

  #measureName({ value }: NameNode): void {
    this.#nameLength = Math.max(this.#nameLength, value.length);
  }

  #countDirectives(directives: readonly DirectiveNode[] = []): number {
    this.#directivesPerLocation = Math.max(this.#directivesPerLocation, directives.length);
    for (const { name, arguments: given = [] } of directives) {
      if (name.value !== 'skip' && name.value !== 'include') continue;
      for (const { value } of given) {
        if (value.kind === Kind.VARIABLE) this.#conditions.add(value.name.value);
      }
    }
    return directives.length;
  }
}

function larger(one: OperationCounts, other: OperationCounts): OperationCounts {
  return {
    selections: Math.max(one.selections, other.selections),
    depth: Math.max(one.depth, other.depth),
    nesting: Math.max(one.nesting, other.nesting),
    rootFields: Math.max(one.rootFields, other.rootFields),
    aliases: Math.max(one.aliases, other.aliases),
    directives: Math.max(one.directives, other.directives),
    variables: Math.max(one.variables, other.variables),
  };
}

function circular(name: string): GraphQLError {
  return new GraphQLError(`Cannot spread fragment "${name}" within itself.`, {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  });
}
