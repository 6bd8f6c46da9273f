import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  visit,
} from 'graphql';
import type { DefinitionNode, DocumentNode, GraphQLCompositeType, GraphQLSchema } from 'graphql';
import type { Choices } from './choices.js';

export interface Operation {
  readonly source: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Names of Object.prototype, and those that the planner joins by. */
const ALIASES = [
  ...['k', '__proto__', 'constructor', 'hasOwnProperty', 'toString', '_entities', '__typename'],
  ...['id', 'id', 'id', 'sku', 'org', 'n', 'x', 'v'],
];
const DEPTH = 4;

/** Draws an operation on a schema. It is not always valid: selections under one response key may conflict. */
export function drawOperation(choices: Choices, schema: GraphQLSchema): Operation {
  return new OperationDrawing(choices, schema).draw();
}

class OperationDrawing {
  readonly #fragments: { readonly name: string; readonly on: GraphQLCompositeType }[] = [];
  readonly #variables: Record<string, unknown> = {};
  readonly #definitions = new Map<string, string>();
  /** The meaning of an alias, so that it mostly stays the same. */
  readonly #aliased = new Map<string, string>();
  readonly #choices: Choices;
  readonly #schema: GraphQLSchema;

  constructor(choices: Choices, schema: GraphQLSchema) {
    this.#choices = choices;
    this.#schema = schema;
  }

  draw(): Operation {
    const choices = this.#choices;
    const schema = this.#schema;
    const mutation = schema.getMutationType();
    const isMutation = mutation !== undefined && mutation !== null && choices.oneIn(3);
    const root = isMutation ? mutation : schema.getQueryType();
    if (root === undefined || root === null) throw new Error('the schema has no root');
    const composites = Object.values(schema.getTypeMap()).filter(
      (type): type is GraphQLCompositeType => isCompositeType(type) && !type.name.startsWith('__'),
    );
    const texts: string[] = [];
    for (let left = choices.below(4); left > 0; left -= 1) {
      const on = choices.of(composites);
      if (on === schema.getMutationType()) continue;
      const text = this.#selectionSet(on, 2);
      const name = choices.of(['F', '__proto__', 'constructor', 'G', 'H']);
      if (this.#fragments.some((fragment) => fragment.name === name)) continue;
      // A known one can only spread earlier ones, which excludes cycles.
      this.#fragments.push({ name, on });
      texts.push(`fragment ${name} on ${on.name} ${text}`);
    }
    const selections = this.#selectionSet(root, DEPTH);
    const definitions = [...this.#definitions.values()];
    const header = definitions.length === 0 ? '' : ` Q(${definitions.join(', ')})`;
    const document = withoutUnused(
      parse([`${isMutation ? 'mutation' : 'query'}${header} ${selections}`, ...texts].join('\n')),
    );
    return { source: print(document), variables: this.#variables };
  }

  #selectionSet(type: GraphQLCompositeType, depth: number): string {
    const choices = this.#choices;
    // Deeper ones are smaller: the planner's options for nested interfaces grow with their product.
    const most = depth > 2 ? 4 : 3;
    const selections = Array.from({ length: 1 + choices.below(most) }, () => this.#selection(type, depth));
    return `{ ${selections.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const choices = this.#choices;
    const schema = this.#schema;
    const hasFields = isObjectType(type) || isInterfaceType(type);
    const kind = choices.below(10);
    if (kind === 9 && type !== schema.getMutationType()) return `__typename${this.#directives()}`;
    if ((kind === 8 || !hasFields) && depth > 0) {
      const on = choices.oneIn(5) && hasFields ? undefined : choices.of(this.#overlapping(type));
      const condition = on === undefined ? '' : ` on ${on.name}`;
      return `...${condition}${this.#directives()} ${this.#selectionSet(on ?? type, depth - 1)}`;
    }
    if (kind === 7) {
      const fitting = this.#fragments.filter(({ on }) => this.#overlapping(type).includes(on));
      if (fitting.length > 0) return `...${choices.of(fitting).name}${this.#directives()}`;
    }
    return hasFields ? this.#field(type, depth) : '__typename';
  }

  #overlapping(type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
    const schema = this.#schema;
    const possible = (of: GraphQLCompositeType): readonly GraphQLCompositeType[] =>
      isObjectType(of) ? [of] : schema.getPossibleTypes(of);
    return Object.values(schema.getTypeMap()).filter(
      (other): other is GraphQLCompositeType =>
        isCompositeType(other) &&
        !other.name.startsWith('__') &&
        possible(other).some((each) => possible(type).includes(each)),
    );
  }

  #field(type: GraphQLCompositeType, depth: number): string {
    const choices = this.#choices;
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename';
    const fields = Object.values(type.getFields()).filter(
      (each) => depth > 0 || !isCompositeType(getNamedType(each.type)),
    );
    if (fields.length === 0) return '__typename';
    const field = choices.of(fields);
    const args = field.args.length === 0 ? '' : this.#arguments();
    const named = getNamedType(field.type);
    const alias = this.#alias(
      `${field.name}${args} ${String(getNamedType(field.type))}`,
      args === '' ? '' : `${field.name}_${choices.below(100)}: `,
    );
    const set = isCompositeType(named) ? ` ${this.#selectionSet(named, depth - 1)}` : '';
    return `${alias}${field.name}${args}${this.#directives()}${set}`;
  }

  #alias(stands: string, otherwise: string): string {
    const choices = this.#choices;
    if (!choices.oneIn(4)) return otherwise;
    const alias = choices.of(ALIASES);
    const known = this.#aliased.get(alias);
    if (known !== undefined && known !== stands) return otherwise;
    this.#aliased.set(alias, stands);
    return `${alias}: `;
  }

  #arguments(): string {
    const choices = this.#choices;
    switch (choices.below(3)) {
      case 0:
        return '';
      case 1:
        return `(k: ${choices.below(3)})`;
      default:
        this.#definitions.set('k', '$k: Int');
        if (choices.oneIn(2)) this.#variables.k = choices.of([1, null]);
        return '(k: $k)';
    }
  }

  #directives(): string {
    const choices = this.#choices;
    if (!choices.oneIn(6)) return '';
    const one = choices.of(['skip', 'include']);
    const other = one === 'skip' ? 'include' : 'skip';
    return [one, ...(choices.oneIn(4) ? [other] : [])]
      .map((name) => ` @${name}(if: ${choices.oneIn(4) ? choices.of(['true', 'false']) : this.#condition()})`)
      .join('');
  }

  /** Set or missing; missing only with a default. */
  #condition(): string {
    const choices = this.#choices;
    const name = choices.of(['__proto__', 'b', 'constructor']);
    if (!this.#definitions.has(name)) {
      const kind = choices.of(['Boolean!', 'Boolean! = true', 'Boolean = false', 'Boolean = true']);
      this.#definitions.set(name, `$${name}: ${kind}`);
      if (kind === 'Boolean!' || choices.oneIn(2)) {
        const value = choices.oneIn(2);
        Object.defineProperty(this.#variables, name, { value, enumerable: true });
      }
    }
    return `$${name}`;
  }
}

/** An unused fragment or variable is invalid. */
function withoutUnused(document: DocumentNode): DocumentNode {
  const spread = new Set<string>();
  const used = new Set<string>();
  const [operation] = document.definitions;
  const pending = [operation];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node, {
      VariableDefinition: () => false,
      Variable: ({ name }) => void used.add(name.value),
      FragmentSpread({ name }) {
        if (spread.has(name.value)) return;
        spread.add(name.value);
        pending.push(
          document.definitions.find(
            (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name.value,
          ),
        );
      },
    });
  }
  return {
    ...document,
    definitions: document.definitions.flatMap((node): readonly DefinitionNode[] => {
      if (node.kind === Kind.FRAGMENT_DEFINITION) return spread.has(node.name.value) ? [node] : [];
      if (node.kind !== Kind.OPERATION_DEFINITION) return [node];
      const variableDefinitions = (node.variableDefinitions ?? []).filter(({ variable }) =>
        used.has(variable.name.value),
      );
      return [{ ...node, variableDefinitions }];
    }),
  };
}
