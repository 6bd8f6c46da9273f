import { buildProtectedSubgraph, protectedContext } from '@behalf/directives';
import { isMet, RuleTable } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';
import {
  buildSchema,
  execute,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  validate,
  visit,
} from 'graphql';
import type { DocumentNode, ExecutionResult, GraphQLError } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import type { OperationAuthorizer } from '../../gateway/authorize/index.js';
import { both, callers, delegationOf, held, POLICIES, PURPOSES, SCOPES } from './delegations.js';
import { asJson, clientOperation, errorsOf, isPartOf, nulledAfterwards, requirementsOf } from './oracle.js';
import { RUNS } from './runs.js';

/** Composing a schema costs far more than an operation on it, so each schema is tried with several. */
const several = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 3, maxLength: 7 });

/** The shape of every generated schema: objects, interfaces, a union, lists, non-null positions. */
const SHAPE: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  Query: [
    ['a', 'A'],
    ['as', '[A!]'],
    ['i', 'I'],
    ['is', '[I]'],
    ['u', '[U!]'],
    ['c', 'C'],
    ['e', 'E'],
  ],
  I: [
    ['id', 'ID'],
    ['n', 'Int'],
    ['next', 'I'],
  ],
  A: [
    ['id', 'ID'],
    ['n', 'Int'],
    ['m', 'Int!'],
    ['next', 'I'],
    ['c', 'C!'],
    ['u', 'U'],
    ['e', '[E!]'],
  ],
  B: [
    ['id', 'ID'],
    ['n', 'Int'],
    ['next', 'I'],
    ['b', '[B]'],
  ],
  C: [
    ['id', 'ID'],
    ['a', 'A'],
    ['x', 'String'],
  ],
};
const IMPLEMENTS: Readonly<Record<string, string>> = { A: ' implements I', B: ' implements I' };
const OTHERS = { U: 'union U = A | B | C', E: 'enum E RULES { ONE TWO }' };
const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes", "@authenticated", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@purpose"])\n`;

/** The rules at each coordinate and type: none, one or several. */
type Rules = Readonly<Record<string, string>>;

function sdlOf(rules: Rules): string {
  const types = Object.entries(SHAPE).map(([name, fields]) => {
    const kind = name === 'I' ? 'interface' : 'type';
    const lines = fields.map(([field, type]) => `${field}: ${type} ${rules[`${name}.${field}`] ?? ''}`);
    return `${kind} ${name}${IMPLEMENTS[name] ?? ''} ${rules[name] ?? ''} { ${lines.join(' ')} }`;
  });
  return [...types, OTHERS.U, OTHERS.E.replace('RULES', rules.E ?? '')].join('\n');
}

const alternatives = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.subarray([...names], { maxLength: 2 }), { maxLength: 3 }).map((lists) => JSON.stringify(lists));
const scopeRule = fc.constantFrom(...SCOPES).map((scope) => `@requiresScope(scope: "${scope}")`);
/** Composition takes the standard rules from the implementers alone. */
const interfaceRules = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: scopeRule },
);
const anyRules = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: scopeRule },
  { weight: 1, arbitrary: fc.tuple(scopeRule, scopeRule).map((two) => two.join(' ')) },
  { weight: 2, arbitrary: alternatives(SCOPES).map((scopes) => `@requiresScopes(scopes: ${scopes})`) },
  { weight: 1, arbitrary: fc.constant('@authenticated') },
  { weight: 1, arbitrary: alternatives(POLICIES).map((policies) => `@policy(policies: ${policies})`) },
  { weight: 1, arbitrary: fc.subarray([...PURPOSES]).map((of) => `@purpose(of: ${JSON.stringify(of)})`) },
  { weight: 1, arbitrary: scopeRule.map((rule) => `@authenticated ${rule}`) },
);
const enumRules = fc.constantFrom(
  '',
  '',
  '@authenticated',
  '@requiresScope(scope: "s1")',
  '@policy(policies: [["p1"]])',
);
const rulesOfSchema: fc.Arbitrary<Rules> = fc.record(
  Object.fromEntries([
    ...Object.entries(SHAPE).flatMap(([name, fields]) => [
      [
        name,
        name === 'I' || name === 'Query'
          ? fc.constant('')
          : fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: anyRules }),
      ] as const,
      ...fields.map(([field]) => [`${name}.${field}`, name === 'I' ? interfaceRules : anyRules] as const),
    ]),
    ['E', enumRules] as const,
  ]),
);

/** One generated schema, really composed. */
interface World {
  readonly sdl: string;
  readonly supergraph: string;
  readonly rules: RuleTable;
  readonly authorizer: OperationAuthorizer;
}

const made = new Map<string, World | undefined>();
let composed = 0;
let refused = 0;
function worldOf(rules: Rules): World | undefined {
  const sdl = LINKS + sdlOf(rules);
  if (!made.has(sdl)) {
    if (made.size > 500) made.clear();
    made.set(sdl, makeWorld(sdl));
  }
  return made.get(sdl);
}

function makeWorld(sdl: string): World | undefined {
  let supergraph: string;
  try {
    supergraph = composeSupergraph([{ name: 'one', url: 'http://one', sdl }]);
    composed += 1;
  } catch {
    refused += 1;
    return undefined;
  }
  return {
    sdl,
    supergraph,
    rules: new RuleTable(parse(supergraph), { coverage: 'open' }),
    authorizer: createOperationAuthorizer(supergraph, { maxPathsPerSelection: 1_000_000 }),
  };
}

/** Composition takes most of the time, so runs share schemas. More runs see more of them. */
const WORLDS = 50 * RUNS;
const worlds: fc.Arbitrary<World> = fc
  .nat(WORLDS - 1)
  .map((seed) => worldOf(fc.sample(rulesOfSchema, { seed, numRuns: 1 })[0] ?? {}))
  .filter((world): world is World => world !== undefined);
const plain = sdlOf({});

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
  e: ['ONE', 'TWO'],
});
const root = {
  a: a(3),
  as: [a(1), a(2)],
  i: b(3),
  is: [a(1), null, b(1)],
  u: [a(1), b(2), c(1)],
  c: c(3),
  e: 'TWO',
};

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
    // An unused fragment is invalid.
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

let count = 0;
function filtered(
  { authorizer }: World,
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
    result: asJson(authorization.complete(outcome as { data: Record<string, unknown> | null })),
    executed,
  };
}

describe('for any schema, operation and delegation', { timeout: 600_000 }, () => {
  it('filtering before planning equals executing all, then nulling', () => {
    fc.assert(
      fc.property(worlds, several(fc.tuple(operations, callers)), (world, requests) => {
        for (const [source, caller] of requests) {
          const document = parse(source);
          const before = filtered(world, document, caller).result;
          const after = nulledAfterwards({ schema, rules: world.rules, root }, document, caller);
          expect(JSON.stringify(before.data)).toBe(JSON.stringify(after.data));
          expect(errorsOf(before, after)).toEqual(errorsOf(after, after));
        }
      }),
      { numRuns: 60 * RUNS },
    );
    // Otherwise the property would show little.
    expect(composed).toBeGreaterThan(refused);
  });

  it('nothing denied is executed', () => {
    fc.assert(
      fc.property(worlds, several(fc.tuple(operations, callers)), (world, requests) => {
        for (const [source, caller] of requests) {
          const { executed } = filtered(world, parse(source), caller);
          if (executed === undefined) continue;
          for (const [node, requirement] of requirementsOf({ schema, rules: world.rules }, executed)) {
            // The `__typename` that the filter adds reads nothing beyond the selections beside it.
            if (node.alias?.value.startsWith('__behalf_typename') === true) continue;
            expect(isMet(requirement, caller), node.name.value).toBe(true);
          }
        }
      }),
      { numRuns: 60 * RUNS },
    );
  });

  it('a narrower delegation never sees more', () => {
    fc.assert(
      fc.property(worlds, several(fc.tuple(operations, held, held)), (world, requests) => {
        for (const [source, one, two] of requests) {
          const document = parse(source);
          const wide = filtered(world, document, delegationOf(both(one, two))).result.data;
          const narrow = filtered(world, document, delegationOf(one)).result.data;
          const nobody = filtered(world, document, undefined).result.data;
          expect(isPartOf(narrow, wide)).toBe(true);
          expect(isPartOf(nobody, narrow)).toBe(true);
        }
      }),
      { numRuns: 60 * RUNS },
    );
  });

  it('a decision never depends on an earlier caller', () => {
    const requests = fc.array(fc.tuple(operations, callers, fc.nat(3)), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(worlds, requests, ({ supergraph }, asked) => {
        // So small that every entry is evicted and recreated.
        const shared = createOperationAuthorizer(supergraph, { cacheBytes: 100_000 });
        const decide = (authorizer: OperationAuthorizer, source: string, caller: Delegation | undefined) => {
          const { execute, denials } = authorizer.authorize(
            clientOperation(parse(source), source),
            caller,
            {},
          );
          return JSON.stringify([execute === undefined ? null : print(execute.document), denials]);
        };
        const first = asked[0];
        for (const [source, caller, other] of asked) {
          // Different callers of one operation, too.
          const text = other === 0 && first !== undefined ? first[0] : source;
          const fresh = createOperationAuthorizer(supergraph);
          expect(decide(shared, text, caller)).toBe(decide(fresh, text, caller));
        }
      }),
      { numRuns: 40 * RUNS },
    );
  });

  it('the subgraph alone decides like the gateway, from a signed token', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'EdDSA' };
    await fc.assert(
      fc.asyncProperty(worlds, several(callers), async ({ sdl, rules }, requests) => {
        const subgraph = buildProtectedSubgraph({
          name: 'one',
          typeDefs: sdl,
          resolvers: {},
          gateway: { issuer: 'https://gateway.example', keys: [key] },
          coverage: 'open',
        });
        for (const caller of requests) {
          const headers = caller === undefined ? {} : { 'txn-token': await txnToken(privateKey, caller) };
          const contextValue = await protectedContext(subgraph, headers);
          for (const [typeName, fields] of Object.entries(SHAPE)) {
            const type = subgraph.getType(typeName);
            if (!isObjectType(type)) continue;
            for (const [fieldName] of fields) {
              const coordinate = `${typeName}.${fieldName}`;
              const field = type.getFields()[fieldName];
              let denial: unknown;
              try {
                await field?.resolve?.({ [fieldName]: null }, {}, contextValue, {
                  fieldName,
                  variableValues: {},
                } as never);
              } catch (error) {
                denial = error;
              }
              const requirement = rules.requirementOf(typeName, fieldName);
              expect(denial === undefined, coordinate).toBe(isMet(requirement, caller));
              if (denial !== undefined) {
                expect((denial as GraphQLError).extensions).toMatchObject({
                  code: 'UNAUTHORIZED_FIELD_OR_TYPE',
                  coordinate,
                });
              }
            }
          }
        }
      }),
      { numRuns: 50 * RUNS },
    );
  });
});

function txnToken(privateKey: CryptoKey, caller: Delegation): Promise<string> {
  return new SignJWT({
    scope: [...caller.scopes].join(' '),
    txn: 't',
    tctx: { policies: [...caller.policies], consent: { ...caller.consent } },
    rctx: { client_id: caller.clientId },
    req_wl: 'gateway',
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: 'txntoken+jwt' })
    .setIssuer('https://gateway.example')
    .setAudience('one')
    .setSubject(caller.subject)
    .setIssuedAt()
    .setExpirationTime('15s')
    .sign(privateKey);
}
