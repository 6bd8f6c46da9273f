import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOperationAuthorizer, SupergraphError } from '../../gateway/authorize/index.js';
import { protectGateway } from '../../gateway/index.js';
import { lint } from '../../gateway/inspect/lint/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import { composedElsewhere } from './supergraph/composed-elsewhere.js';
import type { TestGateway } from './support.js';

const query = 'type Query @join__type(graph: ONE) @join__type(graph: TWO) { p: P @join__field(graph: ONE) }';

function pair(secret: string, leak: string, type = ''): string {
  return composedElsewhere(`${query}
type P @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") ${type} {
  id: ID!
  secret: String @join__field(graph: ONE) @join__field(graph: TWO, external: true) ${secret}
  leak: String @join__field(graph: TWO, requires: "secret") ${leak}
}`);
}

function refusal(sdl: string): string {
  try {
    createOperationAuthorizer(sdl);
  } catch (error) {
    if (!(error instanceof SupergraphError)) throw error;
    expect(error.code).toBe('SUPERGRAPH_PROTECTION_LOST');
    return error.message;
  }
  return '';
}

describe('a supergraph of an older composition whose @requires bypasses a rule', () => {
  it.each([
    ['@authenticated', ''],
    ['@requiresScopes(scopes: [["s"]])', '@authenticated'],
    ['@requiresScopes(scopes: [["s"], ["t"]])', '@requiresScopes(scopes: [["s"], ["u"]])'],
    ['@policy(policies: [["p"]])', '@requiresScopes(scopes: [["p"]])'],
    ['@purpose(of: ["credit"])', '@purpose(of: ["credit", "ads"])'],
    ['@minimize(to: MASK, showLength: true)', ''],
    [
      '@minimize(to: MASK, showLength: true, unless: [["full"]])',
      '@minimize(to: MASK, showLength: true, unless: [["other"]])',
    ],
  ])('is refused: %s read by %s', (secret, leak) => {
    const message = refusal(pair(secret, leak));
    expect(message).toContain('[two] P.leak: @requires reads P.secret');
    expect(refusal(pair(secret, secret))).toBe('');
  });

  it('is refused for rows with a subject', () => {
    const sdl = composedElsewhere(`${query}
type P @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") {
  id: ID!
  owned: [U!] @join__field(graph: ONE) @join__field(graph: TWO, external: true)
  leak: String @join__field(graph: TWO, requires: "owned { id }")
}
type U @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id", resolvable: false) @subject(field: "id") { id: ID! x: Int @join__field(graph: ONE) }`);
    expect(refusal(sdl)).toContain('REQUIRES_SUBJECT: [two] P.leak: @requires reads P.owned');
  });

  it('is refused whatever the coverage, naming all bypasses up to a limit', () => {
    const fields = Array.from(
      { length: 30 },
      (_, index) => `leak${index}: String @join__field(graph: TWO, requires: "secret")`,
    );
    const sdl = composedElsewhere(`${query}
type P @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") {
  id: ID!
  secret: String @join__field(graph: ONE) @join__field(graph: TWO, external: true) @authenticated
  ${fields.join('\n')}
}`);
    expect(() => createOperationAuthorizer(sdl, { coverage: 'required' })).toThrow(SupergraphError);
    const message = refusal(sdl);
    expect(message).toContain('P.leak0:');
    expect(message).toContain('P.leak19:');
    expect(message).toContain('and 10 more');
    expect(message.length).toBeLessThan(5_000);
  });

  it('is refused if it reads an ancestor’s protected field by @fromContext', () => {
    const sdl = (leak: string, name = 'two__up'): string =>
      composedElsewhere(
        `${query}
type P @join__type(graph: TWO, key: "id") @context(name: "two__up") { id: ID! secret: String @purpose(of: ["credit"]) u: U }
type U @join__type(graph: TWO, key: "id") {
  id: ID!
  leak(s: String): String @join__field(graph: TWO, contextArguments: [{ context: "${name}", name: "s", type: "String", selection: "{ secret }" }]) ${leak}
}`,
        '@link(url: "https://specs.apollo.dev/context/v0.1")',
      );
    expect(refusal(sdl(''))).toContain('REQUIRES_PROTECTED: [two] U.leak: @fromContext reads P.secret');
    expect(refusal(sdl('@purpose(of: ["credit"])'))).toBe('');
    expect(refusal(sdl('@purpose(of: ["credit"])', 'nowhere'))).toContain(
      'a context that the supergraph does not have',
    );
  });

  it('is refused if a field set names an unknown field', () => {
    expect(refusal(pair('', '').replace('requires: "secret"', 'requires: "gone"'))).toContain(
      '[two] P.leak: @requires reads P.gone',
    );
  });

  it('is refused if its rules are too long to compare, with advice', () => {
    const names = (letter: string): string[] => Array.from({ length: 60 }, (_, index) => `${letter}${index}`);
    const either = (letter: string): string =>
      `@requiresScopes(scopes: ${JSON.stringify(names(letter).map((name) => [name]))})`;
    const both = `@requiresScopes(scopes: ${JSON.stringify(names('a').flatMap((a) => names('b').map((b) => [a, b])))})`;
    const sdl = (leak: string): string => pair(both, leak, either('b'));
    expect(refusal(sdl(either('a')))).toContain('repeat them word for word');
    expect(refusal(sdl(both))).toBe('');
  });

  it('stops the start; as an update it is refused, and service continues', async () => {
    const cleanup = new Cleanup();
    try {
      const issuer = await TestIssuer.start();
      cleanup.add(() => issuer.close());
      const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
      const gateway = protectGateway(
        { supergraphSdl: pair('@authenticated', '') },
        { issuers, propagation: { issuer: 'https://gateway.example' } },
      );
      await expect(gateway.load()).rejects.toThrow('REQUIRES_PROTECTED: [two] P.leak');
      await gateway.stop();
      const served = await startTestGateway(cleanup, pair('@authenticated', '@authenticated'), { issuers });
      await served.update(pair('@authenticated', ''));
      await expect.poll(() => served.log.of('SUPERGRAPH_REFUSED')).toHaveLength(1);
      expect(String(served.log.of('SUPERGRAPH_REFUSED')[0]?.reason)).toContain('P.leak');
      expect(served.running.gateway.health().supergraph).toBe(true);
    } finally {
      await cleanup.run();
    }
  });
});

const MASK = '@minimize(to: MASK, last: 4, showLength: true)';
const LENT = composedElsewhere(`type Query @join__type(graph: ONE) @join__type(graph: TWO) {
  me: User @join__field(graph: ONE)
  other: User @join__field(graph: TWO, provides: "email")
}
type User @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") {
  id: ID!
  email: String @join__field(graph: ONE) @join__field(graph: TWO, external: true) ${MASK}
}`);
/** Without a fragment, which no current composition writes. */
const LENT_BY_INTERFACE = composedElsewhere(`type Query @join__type(graph: ONE) @join__type(graph: TWO) {
  me: Party @join__field(graph: ONE)
  other: Party @join__field(graph: TWO, provides: "email")
}
interface Party @join__type(graph: ONE) @join__type(graph: TWO) { id: ID! email: String }
type User implements Party @join__implements(graph: ONE, interface: "Party") @join__implements(graph: TWO, interface: "Party")
  @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") {
  id: ID!
  email: String @join__field(graph: ONE) @join__field(graph: TWO, external: true) ${MASK}
}`);
const minimized = (joins: string, keys = 'key: "id"'): string =>
  composedElsewhere(`type Query @join__type(graph: ONE) @join__type(graph: TWO) {
  me: User @join__field(graph: ONE)
  other: User @join__field(graph: TWO)
}
type User @join__type(graph: ONE, key: "id") @join__type(graph: TWO, ${keys}) { id: ID! email: String ${joins} ${MASK} }`);
const owned = (joins: string, keys = 'key: "id"'): string =>
  composedElsewhere(`type Query @join__type(graph: ONE) @join__type(graph: TWO) {
  me: User @join__field(graph: ONE)
  other: User @join__field(graph: TWO)
}
type User @join__type(graph: ONE, key: "id") @join__type(graph: TWO, ${keys}) @subject(field: "id") { id: ID! email: String @join__field(graph: ONE) ${joins} }`);

describe('a supergraph without a record of who states a subgraph rule', () => {
  it.each([
    ['a value in both', minimized('')],
    ['a shareable field', minimized('@join__field(graph: ONE) @join__field(graph: TWO)')],
    ['a field that the other one provides', LENT],
    ['a field that the other one provides on an interface', LENT_BY_INTERFACE],
    ['a field that is overridden', minimized('@join__field(graph: TWO, override: "one")')],
    [
      'a field that is being overridden',
      minimized(
        '@join__field(graph: ONE, overrideLabel: "percent(1)") @join__field(graph: TWO, override: "one", overrideLabel: "percent(1)")',
      ),
    ],
    [
      'a field that was overridden and is still used',
      minimized('@join__field(graph: ONE, usedOverridden: true) @join__field(graph: TWO, override: "one")'),
    ],
    [
      'the key of an extension',
      minimized(
        '@join__field(graph: ONE) @join__field(graph: TWO, external: true)',
        'key: "email", extension: true',
      ),
    ],
    ['rows of a subject', owned('notes: Int @join__field(graph: TWO)')],
  ])('is refused if several subgraphs may resolve it: %s', (_name, sdl) => {
    expect(refusal(sdl)).toMatch(
      /^STATEMENTS_UNRECORDED: User(\.email)?: (one, two|two, one|two can resolve it in the place of one)\b/,
    );
  });

  it.each([
    ['a field of one', minimized('@join__field(graph: ONE)')],
    ['a field that overrides a removed subgraph', minimized('@join__field(graph: TWO, override: "legacy")')],
    [
      'a field that is external elsewhere',
      minimized('@join__field(graph: ONE) @join__field(graph: TWO, external: true)'),
    ],
    ['rows to which the other one refers', owned('')],
    [
      'rows to which the other one refers and that it does not resolve',
      owned('', 'key: "id", resolvable: false'),
    ],
  ])('is served if only one can resolve it: %s', (_name, sdl) => {
    expect(refusal(sdl)).toBe('');
  });

  it('is an error of lint', () => {
    const found = lint({ subgraphs: [], supergraph: LENT, policy: undefined, today: '2026-11-24' });
    expect(found).toContainEqual(
      expect.objectContaining({ code: 'STATEMENTS_UNRECORDED', severity: 'error', coordinate: 'User.email' }),
    );
  });
});

describe('a supergraph with a record of who states a subgraph rule', () => {
  const recorded = (names: readonly string[]): string =>
    LENT.replace(MASK + '\n', `${MASK} @behalf__statedBy(subgraphs: ${JSON.stringify(names)})\n`);

  it('is served if every resolving subgraph states it', () => {
    expect(refusal(recorded(['one', 'two']))).toBe('');
  });

  it.each([
    ['leaves one out', ['one'], 'SHARED_MINIMIZATION_DIFFERS: [two] User.email'],
    ['names nobody', [], 'SHARED_MINIMIZATION_DIFFERS: [one] User.email'],
    ['names an unknown subgraph', ['one', 'two', 'three'], 'STATEMENTS_CONTRADICT: [three] User.email'],
    ['names the enum value instead', ['ONE', 'TWO'], 'STATEMENTS_CONTRADICT: [ONE] User.email'],
  ])('is refused if it %s', (_name, names, message) => {
    expect(refusal(recorded(names))).toContain(message);
  });

  it('is refused if it names an unable subgraph, or a place without a rule', () => {
    const one = minimized('@join__field(graph: ONE)');
    expect(
      refusal(one.replace(`${MASK} }`, `${MASK} @behalf__statedBy(subgraphs: ["one", "two"]) }`)),
    ).toContain('STATEMENTS_CONTRADICT: [two] User.email');
    expect(refusal(one.replace('id: ID!', 'id: ID! @behalf__statedBy(subgraphs: ["one"])'))).toContain(
      'STATEMENTS_CONTRADICT: User.id',
    );
  });
});

describe('rules that every subgraph states', () => {
  const LINKS = `extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@subject"])`;
  const EMAIL = '@minimize(to: MASK, last: 3, showLength: true, unless: [["full"]])';
  const cleanup = new Cleanup();
  let issuer: TestIssuer;
  let gateway: TestGateway;

  beforeAll(async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
    issuer = await TestIssuer.start();
    const user = { id: 'u', email: 'ada@example.org' };
    const one = await TestSubgraph.start(
      'one',
      trust,
      `${LINKS}
      type Query { me: User account: Account }
      type User @key(fields: "id") { id: ID! email: String @shareable ${EMAIL} }
      type Account @key(fields: "id") @subject(field: "holder") { id: ID! holder: ID! }`,
      {
        resolvers: {
          Query: { me: () => user, account: () => ({ id: 'a', holder: 'c-000001' }) },
          User: { __resolveReference: () => user },
          Account: { __resolveReference: () => ({ id: 'a', holder: 'c-000001' }) },
        },
      },
    );
    const two = await TestSubgraph.start(
      'two',
      trust,
      `${LINKS}
      type Query { other: User @provides(fields: "email") }
      type User @key(fields: "id") { id: ID! email: String @external ${EMAIL} }
      type Account @key(fields: "id") @subject(field: "holder") {
        id: ID!
        holder: ID! @external
        payments: Int @requires(fields: "holder")
      }`,
      {
        resolvers: {
          Query: { other: () => user },
          User: { __resolveReference: () => user },
          Account: { __resolveReference: (given: object) => given, payments: () => 3 },
        },
      },
    );
    for (const each of [issuer, one, two]) cleanup.add(() => each.close());
    gateway = await startTestGateway(cleanup, compose(one, two), {
      listen: { port },
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    });
  });
  afterAll(() => cleanup.run());

  it('hold on each path to the value', async () => {
    const query = '{ me { email } other { email } }';
    const masked = { me: { email: '***@*******.org' }, other: { email: '***@*******.org' } };
    expect((await gateway.ask(query)).body.data).toEqual(masked);
    const full = await gateway.ask(query, { token: await issuer.mint({ scope: 'full' }) });
    expect(full.body.data).toEqual({ me: { email: 'ada@example.org' }, other: { email: 'ada@example.org' } });
  });

  it('apply to the owner that @requires gives a subgraph', async () => {
    const query = '{ account { payments } }';
    const token = (sub: string): Promise<string> => issuer.mint({ sub, scope: '' });
    const own = await gateway.ask(query, { token: await token('c-000001') });
    expect(own.body).toEqual({ data: { account: { payments: 3 } } });
    const foreign = await gateway.ask(query, { token: await token('c-000002') });
    expect(foreign.body.data).toEqual({ account: null });
  });
});
