import { isMet, RuleTable } from '@behalf/directives';
import type { Delegation, Requirement } from '@behalf/directives';
import fc from 'fast-check';
import {
  buildSchema,
  defaultFieldResolver,
  execute,
  getNamedType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { DocumentNode, ExecutionResult, FieldNode, GraphQLSchema, SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../cli/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import type { ClientOperation } from '../../gateway/authorize/index.js';

const sdl = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes", "@authenticated"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
  type Query {
    a: A
    as: [A!]
    i: I
    is: [I]
    u: [U!]!
    c: C @requiresScope(scope: "s1")
  }
  interface I {
    id: ID
    n: Int
    next: I
  }
  type A implements I {
    id: ID
    n: Int @requiresScope(scope: "s1")
    m: Int! @requiresScopes(scopes: [["s2"], ["s3"]])
    next: I
    c: C!
    u: U
  }
  type B implements I {
    id: ID @authenticated
    n: Int @requiresScope(scope: "s2")
    next: I @requiresScope(scope: "s3")
    b: [B]
  }
  type C @requiresScope(scope: "s2") {
    id: ID
    a: A
    x: String @requiresScope(scope: "s3")
  }
  union U = A | B | C
`;
const supergraph = composeSupergraph([{ name: 'one', url: 'http://one', sdl }]);
const rules = new RuleTable(parse(supergraph), { coverage: 'open' });
const plain = sdl
  .replace(/extend schema[\s\S]*?type Query/, 'type Query')
  .replace(/@[a-zA-Z]+(\([^)]*\))?/g, '');

const c = (depth: number): object => ({
  __typename: 'C',
  id: 'c',
  x: 'x',
  a: depth > 0 ? a(depth - 1) : null,
});
const b = (depth: number): object => ({
  __typename: 'B',
  id: 'b',
  n: 2,
  next: depth > 0 ? a(depth - 1) : null,
  b: depth > 0 ? [b(depth - 1), null] : [],
});
const a = (depth: number): object => ({
  __typename: 'A',
  id: 'a',
  n: 1,
  m: 3,
  next: depth > 0 ? b(depth - 1) : null,
  c: c(depth - 1),
  u: depth > 0 ? c(depth - 1) : b(0),
});
const root = { a: a(3), as: [a(1), a(2)], i: b(3), is: [a(1), null, b(1)], u: [a(1), b(2), c(1)], c: c(3) };

const typesUnder: Record<string, readonly string[]> = {
  Query: ['Query'],
  I: ['I', 'A', 'B'],
  U: ['A', 'B', 'C', 'U'],
  A: ['A', 'I'],
  B: ['B', 'I'],
  C: ['C'],
};
const spreadsOn: Record<string, readonly string[]> = {
  I: ['...FA', '...FI'],
  U: ['...FA', '...FI'],
  A: ['...FA', '...FI'],
  B: ['...FI'],
};
const schema = buildSchema(plain);

function selectionSet(type: string, depth: number): fc.Arbitrary<string> {
  const definition = schema.getType(type);
  const hasFields = isObjectType(definition) || isInterfaceType(definition);
  const fields = hasFields ? Object.values(definition.getFields()) : [];
  const fieldArbitraries = fields.flatMap((field) => {
    const named = getNamedType(field.type);
    const alias = fc.constantFrom('', '', '', 'k: ', `${field.name}_: `);
    if (!isCompositeType(named)) return [alias.map((prefix) => `${prefix}${field.name}`)];
    if (depth === 0) return [];
    return [
      fc
        .tuple(alias, selectionSet(named.name, depth - 1))
        .map(([prefix, set]) => `${prefix}${field.name} ${set}`),
    ];
  });
  const fragments =
    depth === 0
      ? []
      : (typesUnder[type] ?? []).map((on) => selectionSet(on, depth - 1).map((set) => `... on ${on} ${set}`));
  const spreads = [fc.constantFrom('__typename', ...(spreadsOn[type] ?? []))];
  return fc
    .array(fc.oneof(...fieldArbitraries, ...fragments, ...spreads), { minLength: 1, maxLength: 4 })
    .map((selections) => `{ ${selections.join(' ')} }`);
}

const operations = fc
  .tuple(selectionSet('Query', 4), selectionSet('A', 1), selectionSet('I', 1))
  .map(([query, onA, onI]) =>
    [
      `query ${query}`,
      `fragment FA on A ${onA.replaceAll(/\.\.\.F[AI]/g, 'id')}`,
      `fragment FI on I ${onI.replaceAll(/\.\.\.F[AI]/g, 'id')}`,
    ].join('\n'),
  )
  .map((source) => {
    // A fragment that nothing spreads is not valid.
    const document = parse(source);
    const spread = new Set<string>();
    visit(document, { FragmentSpread: (node) => void spread.add(node.name.value) });
    return {
      ...document,
      definitions: document.definitions.filter(
        (node) => node.kind !== Kind.FRAGMENT_DEFINITION || spread.has(node.name.value),
      ),
    } satisfies DocumentNode;
  })
  .filter((document) => validate(schema, document).length === 0)
  .map((document) => print(document));

const scopeLists = fc.option(fc.subarray(['s1', 's2', 's3']), { nil: undefined });

function delegationOf(scopes: readonly string[] | undefined): Delegation | undefined {
  if (scopes === undefined) return undefined;
  return { subject: 's', clientId: 'c', scopes: new Set(scopes), policies: new Set(), roles: [] };
}

function clientOperation(document: DocumentNode, hash: string): ClientOperation {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { document, operation, queryHash: hash };
}

const authorizer = createOperationAuthorizer(supergraph, { maxPathsPerSelection: 1_000_000 });
let count = 0;
function filtered(
  document: DocumentNode,
  caller: Delegation | undefined,
): { result: ExecutionResult; executed: DocumentNode | undefined } {
  count += 1;
  const authorization = authorizer.authorize(clientOperation(document, String(count)), caller, {});
  const executed = authorization.execute?.document;
  if (executed !== undefined) expect(validate(schema, executed)).toEqual([]);
  const outcome =
    executed === undefined ? { data: {} } : execute({ schema, document: executed, rootValue: root });
  return {
    result: normalize(authorization.complete(outcome as { data: Record<string, unknown> | null })),
    executed,
  };
}

function normalize(result: { data?: unknown; errors?: readonly GraphQLError[] }): ExecutionResult {
  return JSON.parse(JSON.stringify(result)) as ExecutionResult;
}

/** Coordinates of every selection, by the type that it is written on. */
function requirementsOf(document: DocumentNode): Map<FieldNode, Requirement> {
  const requirements = new Map<FieldNode, Requirement>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      Field(node) {
        requirements.set(node, rules.requirementOf(info.getParentType()?.name ?? '', node.name.value));
      },
    }),
  );
  return requirements;
}

/** Executes everything with plain graphql-js, and nulls afterwards: in the resolvers, by what was selected there. */
function nulledAfterwards(document: DocumentNode, caller: Delegation | undefined): ExecutionResult {
  const requirements = requirementsOf(document);
  const allowed = (node: FieldNode): boolean => {
    const requirement = requirements.get(node);
    return requirement !== undefined && isMet(requirement, caller);
  };
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const children = (set: SelectionSetNode): FieldNode[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return children(selection.selectionSet);
      const fragment = fragments.get(selection.name.value);
      return fragment === undefined ? [] : children(fragment.selectionSet);
    });
  const alive = (node: FieldNode): boolean =>
    allowed(node) && (node.selectionSet === undefined || children(node.selectionSet).some(alive));
  const deniedBelow = (node: FieldNode): FieldNode[] =>
    allowed(node)
      ? node.selectionSet === undefined
        ? []
        : children(node.selectionSet).flatMap(deniedBelow)
      : [node];

  const errors: { path: (string | number)[]; coordinate: string }[] = [];
  const coordinateOf = new Map<FieldNode, string>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      Field: (node) => void coordinateOf.set(node, `${info.getParentType()?.name ?? ''}.${node.name.value}`),
    }),
  );

  const guarded = withResolvers((source, args, context, resolveInfo) => {
    const path: (string | number)[] = [];
    for (let at: typeof resolveInfo.path | undefined = resolveInfo.path; at !== undefined; at = at.prev)
      path.unshift(at.key);
    // Selections that stand on a denied one were never executed.
    const lost = lostNodes.get(key(path.slice(0, -1))) ?? new Map<FieldNode, FieldNode>();
    const nodes = resolveInfo.fieldNodes;
    const own = nodes.filter((node) => !lost.has(node));
    const childLost = new Map<FieldNode, FieldNode>();
    for (const node of nodes) {
      const to = lost.get(node) ?? (allowed(node) ? undefined : node);
      if (to !== undefined && node.selectionSet !== undefined) {
        for (const child of children(node.selectionSet)) childLost.set(child, to);
      }
    }
    // A fragment's selection that is also reached unlost counts as executed.
    for (const node of own) {
      if (allowed(node) && node.selectionSet !== undefined)
        for (const child of children(node.selectionSet)) childLost.delete(child);
    }
    lostNodes.set(key(path), childLost);
    if (own.some(alive)) return defaultFieldResolver(source, args, context, resolveInfo);
    // Its own denial first, then those of what was selected on it, then the denial of what it stands on.
    const denied = own.find((node) => !allowed(node));
    const below = own.flatMap(deniedBelow);
    const above = nodes.flatMap((node) => lost.get(node) ?? []);
    const blamed = new Set(denied !== undefined ? [denied] : below.length > 0 ? below : above.slice(0, 1));
    for (const node of blamed) errors.push({ path, coordinate: coordinateOf.get(node) ?? '' });
    return null;
  });
  const lostNodes = new Map<string, Map<FieldNode, FieldNode>>();
  const result = execute({ schema: guarded, document, rootValue: root });
  const { data } = result as ExecutionResult;
  return normalize({
    data,
    errors: errors.map(
      ({ path, coordinate }) => new GraphQLError('denied', { path, extensions: { coordinate } }),
    ),
  });

  function key(path: readonly (string | number)[]): string {
    // List indices lie between a field and what is selected on it.
    return JSON.stringify(
      path
        .filter((step, index) => typeof step === 'string' || index < path.length - 1 || true)
        .slice(0, lastName(path) + 1),
    );
  }
  function lastName(path: readonly (string | number)[]): number {
    let last = path.length - 1;
    while (last >= 0 && typeof path[last] === 'number') last -= 1;
    return last;
  }
}

function withResolvers(resolve: typeof defaultFieldResolver): GraphQLSchema {
  const copy = buildSchema(plain);
  for (const type of Object.values(copy.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) field.resolve = resolve;
  }
  return copy;
}

/**
 * Errors by the null that they explain. Where a null moved upward, one error below it is enough for the GraphQL
 * specification, and plain graphql-js stops at the first.
 */
function errorsOf(result: ExecutionResult): string[] {
  const explained = (result.errors ?? []).map(({ path = [], extensions }) => {
    let at: unknown = result.data;
    const position: (string | number)[] = [];
    for (const step of path) {
      if (at === null || at === undefined) break;
      position.push(step);
      at = (at as Record<string | number, unknown>)[step];
    }
    const { coordinate } = extensions as { coordinate?: unknown };
    return position.length === path.length
      ? `${JSON.stringify(path)} ${String(coordinate)}`
      : JSON.stringify(position);
  });
  return [...new Set(explained)].sort();
}

describe('for any operation and any delegation', { timeout: 120_000 }, () => {
  it('filtering before planning equals executing everything and nulling afterwards', () => {
    fc.assert(
      fc.property(operations, scopeLists, (source, scopes) => {
        const caller = delegationOf(scopes);
        const document = parse(source);
        const before = filtered(document, caller).result;
        const after = nulledAfterwards(document, caller);
        expect(JSON.stringify(before.data)).toBe(JSON.stringify(after.data));
        expect(errorsOf(before)).toEqual(errorsOf(after));
      }),
      { numRuns: 1_500 },
    );
  });

  it('nothing that is denied is executed', () => {
    fc.assert(
      fc.property(operations, scopeLists, (source, scopes) => {
        const caller = delegationOf(scopes);
        const { executed } = filtered(parse(source), caller);
        if (executed === undefined) return;
        for (const [node, requirement] of requirementsOf(executed)) {
          // The type that the filter asks for itself reads nothing that the selections beside it do not.
          if (node.alias?.value.startsWith('__behalf_typename') === true) continue;
          expect(isMet(requirement, caller), node.name.value).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a narrower delegation never sees more', () => {
    fc.assert(
      fc.property(
        operations,
        fc.subarray(['s1', 's2', 's3']),
        fc.subarray(['s1', 's2', 's3']),
        (source, one, two) => {
          const document = parse(source);
          const wide = filtered(document, delegationOf([...new Set([...one, ...two])])).result.data;
          const narrow = filtered(document, delegationOf(one)).result.data;
          expect(isPartOf(narrow, wide)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Everything that is not null in the one stands in the other. */
function isPartOf(narrow: unknown, wide: unknown): boolean {
  if (narrow === null || narrow === undefined) return true;
  if (typeof narrow !== 'object') return narrow === wide;
  if (typeof wide !== 'object' || wide === null) return false;
  return Object.entries(narrow).every(([name, value]) =>
    isPartOf(value, (wide as Record<string, unknown>)[name]),
  );
}
