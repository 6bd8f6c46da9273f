import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { packedProject } from '../support/packed.js';

const run = promisify(execFile);
let project: string;

/** Runs under Node 22, which graphql 17 needs; prints one line of JSON. */
const SCRIPT = `
import { buildProtectedSubgraph, finishProtectedRequest, protectedContext, protectSchema, requestedColumns } from '@behalf/directives';
import { buildSchema, graphql, GraphQLList, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, GraphQLString, parse, subscribe, version } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
const gateway = { issuer: 'https://gateway.example', keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA' }] };
const iat = Math.floor(Date.now() / 1000);
const token = (scope) =>
  new SignJWT({ txn: 't', scope, req_wl: 'gateway', tctx: {}, rctx: { client_id: 'app' } })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'k1' })
    .setIssuer(gateway.issuer).setAudience('rows').setSubject('alma').setIssuedAt(iat).setExpirationTime(iat + 15)
    .sign(privateKey);

const Money = new GraphQLScalarType({ name: 'Money', coerceOutputValue: ({ text }) => text });
const rule = (type, directives) => ({ type, extensions: { directives } });
const Row = new GraphQLObjectType({
  name: 'Row',
  extensions: { directives: { subject: { field: 'owner' } } },
  fields: {
    owner: rule(GraphQLString, { public: {} }),
    iban: rule(GraphQLString, [{ name: 'requiresScope', args: { scope: 'a' } }, { name: 'minimize', args: { to: 'MASK', last: 2, showLength: true } }]),
    money: rule(Money, { minimize: { to: 'GENERALIZE', step: 10 } }),
  },
});
const Where = buildSchema('input Where { inner: Inner = { x: 1 } } input Inner { x: Int, y: Int = 2 } type Query { a(where: Where): Int }').getType('Where');
const rows = ['alma', 'bert'].map((owner) => ({ owner, iban: 'SE12345', money: { text: '123.45' } }));
async function* stream() { yield* rows; }
const mapping = { type: 'Row', columns: { money: [] }, column: (field) => 'c_' + field };
let columns;
const schema = protectSchema(
  new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        rows: {
          type: new GraphQLList(Row),
          resolve(_source, _args, context, info) {
            columns = requestedColumns(info, context, mapping).map(({ column, minimize }) => column + ' ' + minimize?.to);
            return rows;
          },
        },
        streamed: { type: new GraphQLList(Row), resolve: stream },
        masked: { type: new GraphQLList(GraphQLString), resolve: async function* () { yield 'SE12345'; } },
        forgotten: { type: GraphQLString, resolve: () => 'secret' },
        found: { type: GraphQLString, args: { where: { type: Where } }, resolve: () => 'found' },
      },
    }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { row: { type: Row, subscribe: async function* () { for (const row of rows) yield { row }; } } },
    }),
  }),
  { name: 'rows', gateway, log: () => {}, rules: { 'Query.found': { public: {} }, 'Inner.y': { filters: { field: 'Row.iban' } }, 'Inner.x': { filters: { field: 'Row.iban' } }, 'Query.masked': { authenticated: {}, minimize: { to: 'MASK', last: 2, showLength: true } } } },
);
const contextOf = async (scope) =>
  protectedContext(schema, new Headers(scope === undefined ? {} : { 'txn-token': await token(scope) }));
const ask = async (source, scope, variableValues = {}) => {
  const contextValue = await contextOf(scope);
  const { data } = await graphql({ schema, source, contextValue, variableValues });
  return { data, facts: finishProtectedRequest(schema, contextValue)?.fields?.map(([at, decision]) => at + ' ' + decision) };
};
const events = [];
for await (const { data } of await subscribe({ schema, document: parse('subscription { row { iban } }'), contextValue: await contextOf('a') }))
  events.push(data);
let missing;
try {
  buildProtectedSubgraph({ name: 'rows', typeDefs: 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { a: Int }', resolvers: {}, gateway });
} catch ({ code, message }) {
  missing = code + ' ' + /graphql 17.*protectSchema/.test(message);
}
console.log(JSON.stringify({
  version,
  full: await ask('{ rows { iban money } streamed { owner } masked forgotten }', 'a'),
  less: await ask('{ rows { iban money } }', ''),
  anonymous: await ask('{ rows { owner } masked }'),
  selected: (await ask('query ($no: Boolean!) { rows { iban @skip(if: $no) ...F @include(if: $no) } } fragment F on Row { money }', 'a', { no: false })) && columns,
  found: await ask('query ($w: Where) { a: found b: found(where: $w) c: found(where: {}) d: found(where: { inner: { x: 2 } }) }', 'a', { w: {} }),
  events,
  missing,
}));
`;

beforeAll(async () => {
  const packages = ['@behalf/directives', '@behalf/revocation', 'graphql@17', '@opentelemetry/api@1'];
  project = await packedProject('graphql17', packages);
  await writeFile(join(project, 'check.js'), SCRIPT);
}, 480_000);

it('protectSchema works with graphql 17 under Node 22, without @apollo/subgraph', async () => {
  const { stdout } = await run('npx', ['-y', '-p', 'node@22', 'node', 'check.js'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual({
    version: expect.stringMatching(/^17\./) as string,
    full: {
      data: {
        rows: [{ iban: '*****45', money: '120.00' }],
        streamed: [{ owner: 'alma' }],
        masked: ['*****45'],
        forgotten: null,
      },
      facts: expect.arrayContaining([
        'Row.iban minimized',
        'Query.rows denied',
        'Query.forgotten denied',
      ]) as string[],
    },
    less: {
      data: { rows: [{ iban: null, money: '120.00' }] },
      facts: expect.arrayContaining(['Row.iban denied', 'Row.money minimized']) as string[],
    },
    anonymous: { data: { rows: null, masked: null } },
    selected: ['c_owner undefined', 'c_iban MASK'],
    // The defaults of the schema are nobody's use of a filter.
    found: {
      data: { a: 'found', b: 'found', c: 'found', d: null },
      facts: expect.arrayContaining(['Query.found denied']) as string[],
    },
    events: [{ row: { iban: '*****45' } }],
    missing: 'MISSING_APOLLO_SUBGRAPH true',
  });
}, 120_000);

it('a subgraph with graphql 17 and a cache watches revocations', async () => {
  await writeFile(
    join(project, 'watch.js'),
    `import { watchRevocations } from '@behalf/revocation';
     const watch = watchRevocations({ streams: [{ issuer: 'https://localhost:1', secret: 'sesame' }], onRevocation() {} });
     console.log(watch.isFresh());
     await watch.close();`,
  );
  const { stdout } = await run('npx', ['-y', '-p', 'node@22', 'node', 'watch.js'], { cwd: project });
  expect(stdout).toBe('false\n');
}, 120_000);
