import { Kind, parse } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationTypeNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';

/** Selections of one response key in the operation sent to a subgraph. */
export interface SentField {
  readonly key: string;
  /** The schema's names, where the key may be an alias: on several types, it can be one of several fields. */
  readonly names: readonly string[];
  readonly sets: readonly SelectionSetNode[];
}

/** The operation sent to a subgraph. It is parsed on first use: a failed request never needs it. */
export class SentOperation {
  #read: { readonly roots: readonly SelectionSetNode[]; readonly isEntities: boolean } | undefined;
  #operation: OperationTypeNode | undefined;
  /** By variable: its default, if that is true or false. */
  readonly #defaults = new Map<string, boolean>();
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #known = new WeakMap<readonly SelectionSetNode[], ReadonlyMap<string, SentField>>();
  readonly #query: string | undefined;

  constructor(query: string | undefined) {
    this.#query = query;
  }

  /** Whether it requests entities by key. A client's operation cannot: the API schema has no such field. */
  get isForEntities(): boolean {
    return this.#parsed().isEntities;
  }

  /** Undefined if it does not parse. */
  get operation(): OperationTypeNode | undefined {
    this.#parsed();
    return this.#operation;
  }

  /** The selections: on each entity, or else at the root. */
  get roots(): readonly SelectionSetNode[] {
    return this.#parsed().roots;
  }

  fragment(name: string): FragmentDefinitionNode | undefined {
    this.#parsed();
    return this.#fragments.get(name);
  }

  /** Whether `@skip` and `@include` leave the selection in; undefined if that cannot be read, as of a variable without a value. */
  conditionOf(
    { directives = [] }: SelectionNode,
    variables: Readonly<Record<string, unknown>>,
  ): boolean | undefined {
    this.#parsed();
    let outcome: boolean | undefined = true;
    for (const { name, arguments: given = [] } of directives) {
      if (name.value !== 'skip' && name.value !== 'include') continue;
      const value = given.find((argument) => argument.name.value === 'if')?.value;
      const held =
        value?.kind === Kind.VARIABLE
          ? (variables[value.name.value] ?? this.#defaults.get(value.name.value))
          : value?.kind === Kind.BOOLEAN
            ? value.value
            : undefined;
      if (typeof held !== 'boolean') outcome = undefined;
      else if (held === (name.value === 'skip')) return false;
    }
    return outcome;
  }

  /** The fields of some selection sets by response key, cached by the list of sets. */
  fieldsOf(sets: readonly SelectionSetNode[]): ReadonlyMap<string, SentField> {
    let fields = this.#known.get(sets);
    if (fields === undefined) {
      fields = this.#collect(sets);
      this.#known.set(sets, fields);
    }
    return fields;
  }

  /** Each fragment once. */
  #collect(sets: readonly SelectionSetNode[]): ReadonlyMap<string, SentField> {
    const nodes = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    const visit = (set: SelectionSetNode): void => {
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) {
          const key = (selection.alias ?? selection.name).value;
          const known = nodes.get(key);
          if (known === undefined) nodes.set(key, [selection]);
          else known.push(selection);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
        else if (!visited.has(selection.name.value)) {
          visited.add(selection.name.value);
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment !== undefined) visit(fragment.selectionSet);
        }
      }
    };
    for (const set of sets) visit(set);
    return new Map(
      [...nodes].map(([key, fields]) => [
        key,
        {
          key,
          names: [...new Set(fields.map(({ name }) => name.value))],
          sets: fields.flatMap(({ selectionSet }) => selectionSet ?? []),
        },
      ]),
    );
  }

  #parsed(): { readonly roots: readonly SelectionSetNode[]; readonly isEntities: boolean } {
    this.#read ??= this.#parse();
    return this.#read;
  }

  #parse(): { readonly roots: readonly SelectionSetNode[]; readonly isEntities: boolean } {
    const document = parseOrNothing(this.#query);
    let root: SelectionSetNode | undefined;
    for (const definition of document?.definitions ?? []) {
      if (definition.kind === Kind.OPERATION_DEFINITION) {
        root = definition.selectionSet;
        this.#operation = definition.operation;
        for (const { defaultValue, variable } of definition.variableDefinitions ?? [])
          if (defaultValue?.kind === Kind.BOOLEAN)
            this.#defaults.set(variable.name.value, defaultValue.value);
      } else if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
    }
    if (root === undefined) return { roots: [], isEntities: false };
    const entities = [...this.#collect([root]).values()].find(({ names }) => names.includes('_entities'));
    return entities === undefined
      ? { roots: [root], isEntities: false }
      : { roots: entities.sets, isEntities: true };
  }
}

/** The planner wrote it; if it does not parse, no position in it is known. */
function parseOrNothing(query: string | undefined): DocumentNode | undefined {
  try {
    return parse(query ?? '', { noLocation: true });
  } catch {
    return undefined;
  }
}
