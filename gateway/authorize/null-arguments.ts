import { GraphQLError, isNonNullType, Kind, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type {
  ASTNode,
  ASTVisitor,
  FragmentDefinitionNode,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  VariableNode,
} from 'graphql';
import { fragmentsOf } from '../fragments.js';
import type { ClientOperation } from './types.js';
import { valuesOf } from './variable-values.js';

type Operation = Pick<ClientOperation, 'document' | 'operation'>;
type Variables = Readonly<Record<string, unknown>>;

/**
 * GraphQL section 6.4.1: a nullable variable may stand where null may not, if there is a default (section 5.8.5), and a client can
 * still set it to null. Then the argument is in error. @apollo/gateway would fail with an internal error, or leave it to a subgraph.
 *
 * Arguments of skipped selections are never read, so they may be null; conditions may not be anywhere, because @apollo/gateway
 * evaluates them in an order of its own.
 *
 * @param variables Each is a value of its type.
 */
export function nullArgumentErrors(
  client: Operation,
  schema: GraphQLSchema,
  variables: Variables,
): readonly GraphQLError[] {
  const values = valuesOf(client.operation, variables);
  if (![...values.values()].includes(null)) return [];
  return new NullArguments(client, schema, values).find();
}

class NullArguments {
  readonly #errors: GraphQLError[] = [];
  /** Fragments that a selection which is not skipped spreads, and others. */
  readonly #spread = new Set<string>();
  readonly #skipped = new Set<string>();
  /** Selections around the current node that are skipped. */
  #skips = 0;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #typeInfo: TypeInfo;
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(
    { document, operation }: Operation,
    schema: GraphQLSchema,
    values: ReadonlyMap<string, unknown>,
  ) {
    this.#operation = operation;
    this.#fragments = fragmentsOf(document);
    this.#typeInfo = new TypeInfo(schema);
    this.#values = values;
  }

  find(): readonly GraphQLError[] {
    this.#visit(this.#operation);
    // A set that grows is iterated to its end.
    for (const name of this.#spread) this.#visit(this.#fragments.get(name));
    this.#skips = 1;
    for (const name of this.#skipped) if (!this.#spread.has(name)) this.#visit(this.#fragments.get(name));
    return this.#errors;
  }

  #visit(definition: OperationDefinitionNode | FragmentDefinitionNode | undefined): void {
    if (definition !== undefined) visit(definition, visitWithTypeInfo(this.#typeInfo, this.#visitor));
  }

  readonly #visitor: ASTVisitor = {
    Field: { enter: (node) => this.#enter(node), leave: (node) => this.#leave(node) },
    InlineFragment: { enter: (node) => this.#enter(node), leave: (node) => this.#leave(node) },
    FragmentSpread: {
      enter: (node) => {
        this.#enter(node);
        (this.#skips > 0 ? this.#skipped : this.#spread).add(node.name.value);
      },
      leave: (node) => this.#leave(node),
    },
    Variable: (node, _key, parent) => this.#check(node, parent),
  };

  #enter(selection: SelectionNode): void {
    if (this.#isSkipped(selection)) this.#skips += 1;
  }

  #leave(selection: SelectionNode): void {
    if (this.#isSkipped(selection)) this.#skips -= 1;
  }

  #check(variable: VariableNode, parent: ASTNode | readonly ASTNode[] | undefined): void {
    const type = this.#typeInfo.getInputType();
    if (!isNonNullType(type) || this.#values.get(variable.name.value) !== null) return;
    if (this.#skips > 0 && !isConditional(this.#typeInfo.getDirective()?.name)) return;
    const message = `${positionOf(parent)} of non-null type "${String(type)}" must not be null.`;
    this.#errors.push(new GraphQLError(message, { nodes: variable }));
  }

  /** Section 3.13: both conditions must permit the selection. */
  #isSkipped({ directives = [] }: SelectionNode): boolean {
    return directives.some(({ name, arguments: [condition] = [] }) => {
      if (!isConditional(name.value) || condition === undefined) return false;
      return this.#truthOf(condition.value) === (name.value === 'skip');
    });
  }

  #truthOf(value: ASTNode): unknown {
    if (value.kind === Kind.VARIABLE) return this.#values.get(value.name.value);
    return value.kind === Kind.BOOLEAN ? value.value : undefined;
  }
}

function isConditional(directive: string | undefined): boolean {
  return directive === 'skip' || directive === 'include';
}

/** As graphql-js begins its message for an argument. */
function positionOf(parent: ASTNode | readonly ASTNode[] | undefined): string {
  if (parent === undefined || !('kind' in parent)) return 'List entry';
  if (parent.kind === Kind.ARGUMENT) return `Argument "${parent.name.value}"`;
  return parent.kind === Kind.OBJECT_FIELD ? `Input field "${parent.name.value}"` : 'List entry';
}
