import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { Delegation } from '@behalf/directives';
import { buildSchema, Kind, parse, print, validate } from 'graphql';
import type { DocumentNode } from 'graphql';
import { composeSupergraph } from '@behalf/gateway/tools';
import { createOperationAuthorizer } from '@behalf/gateway/internal';
import type { ClientOperation } from '@behalf/gateway/internal';
import { ALL_SCOPES, FEWER_SCOPES, OPERATIONS } from '../gateway/operations.js';
import { BENCH_SUBGRAPHS, protectedSdl } from '../gateway/schemas.js';
import { interleave, medianOf, ratio, spread } from '../harness/interleave.js';
import type { Timing } from '../harness/interleave.js';
import { printTable } from '../harness/table.js';

const ROUNDS = 7;
const TIMES = 30;
const BOMB_SIZES = [25, 50, 100, 200, 400] as const;

/**
 * The cost of an operation that is seen for the first time: Behalf's analysis, decision and filtering, compared with Apollo's
 * query planning of the same operation.
 */
export async function benchAnalysis(): Promise<void> {
  const sdl = composeSupergraph(
    BENCH_SUBGRAPHS.map((name) => ({ name, url: `http://${name}.bench`, sdl: protectedSdl(name) })),
  );
  await benchFirstSeen(sdl);
  await benchFragmentBomb(sdl);
}

async function benchFirstSeen(sdl: string): Promise<void> {
  const authorizer = createOperationAuthorizer(sdl, { cacheBytes: 1024 ** 3 });
  const supergraph = Supergraph.build(authorizer.executableSdl, { supportedFeatures: null });
  const planner = new QueryPlanner(supergraph);
  const apiSchema = supergraph.apiSchema();
  const rows: string[][] = [];
  for (const [name, text] of Object.entries(OPERATIONS)) {
    const document = parse(text);
    const all = delegation(ALL_SCOPES);
    const fewer = delegation(FEWER_SCOPES);
    mustDeny(authorizer.authorize(client(document, `check ${name}`), fewer, {}).denials.length);
    let seen = 0;
    const authorize = (caller: Delegation, isNew: boolean) => (times: number) => {
      for (let time = 0; time < times; time += 1) {
        seen += isNew ? 1 : 0;
        authorizer.authorize(client(document, isNew ? `${name} ${seen}` : name), caller, {});
      }
    };
    const [planning, granted, denied, again] = await interleave(
      [
        {
          name: 'planning',
          run: (times) => {
            for (let time = 0; time < times; time += 1)
              planner.buildQueryPlan(operationFromDocument(apiSchema, document));
          },
        },
        { name: 'first seen, all granted', run: authorize(all, true) },
        { name: 'first seen, some denied', run: authorize(fewer, true) },
        { name: 'seen before, some denied', run: authorize(fewer, false) },
      ],
      { rounds: ROUNDS, times: TIMES },
    );
    if (planning === undefined || granted === undefined || denied === undefined || again === undefined)
      throw new Error('a contender is missing');
    const against = (timing: Timing): string =>
      `${spread(timing.rounds)} = ${ratio(timing, planning).toFixed(3)}`;
    rows.push([name, spread(planning.rounds, 0), against(granted), against(denied), spread(again.rounds, 2)]);
  }
  console.log('\nAn operation seen for the first time, µs (ratio to its query planning)');
  printTable(['operation', 'query planning', 'all granted', 'some denied', 'seen before'], rows);
}

/** Each fragment spreads the next one twice, so each doubles the number of expanded selections. */
function bomb(size: number): string {
  const fragments = Array.from(
    { length: size },
    (_, index) =>
      `fragment F${index} on Customer { id accounts { id } ${index + 1 < size ? `...F${index + 1} ... { ...F${index + 1} }` : 'name'} }`,
  );
  return ['query Bomb { me { ...F0 } }', ...fragments].join('\n');
}

async function benchFragmentBomb(sdl: string): Promise<void> {
  // A small cache, so that the analysis is measured and not a heap full of bombs.
  const authorizer = createOperationAuthorizer(sdl, { cacheBytes: 64 * 1024 ** 2 });
  // The same fields, for graphql-js to validate against.
  const schema = buildSchema(
    'type Query { me: Customer } type Customer { id: ID name: String accounts: [Account] } type Account { id: ID }',
  );
  const fewer = delegation(['profile:read']);
  const data = { me: { id: '1', name: 'Alma' } };
  const rows: string[][] = [];
  let before: number | undefined;
  for (const size of BOMB_SIZES) {
    const document = parse(bomb(size));
    const length = print(document).length;
    mustDeny(authorizer.authorize(client(document, 'check'), fewer, {}).denials.length);
    let seen = 0;
    const [behalf, validation] = await interleave(
      [
        {
          name: 'behalf',
          run: (times) => {
            for (let time = 0; time < times; time += 1) {
              seen += 1;
              const authorization = authorizer.authorize(client(document, `${size} ${seen}`), fewer, {});
              authorization.complete({ data });
            }
          },
        },
        {
          name: 'validate',
          run: (times) => {
            for (let time = 0; time < times; time += 1) validate(schema, document);
          },
        },
      ],
      { rounds: 9, times: 5 },
    );
    if (behalf === undefined || validation === undefined) throw new Error('a contender is missing');
    const cost = medianOf(behalf.rounds);
    rows.push([
      `${size} fragments, ${length} characters`,
      `2^${size}`,
      spread(behalf.rounds, 0),
      before === undefined ? '' : (cost / before).toFixed(2),
      spread(validation.rounds, 0),
      ratio(behalf, validation).toFixed(3),
    ]);
    before = cost;
  }
  console.log('\nA fragment bomb, first seen, some of it denied: analysis, filtering and completion, µs');
  printTable(['document', 'expanded', 'behalf', 'to half the length', 'graphql-js validate', 'ratio'], rows);
}

function delegation(scopes: readonly string[]): Delegation {
  return {
    subject: 'c-000001',
    clientId: 'budget-app',
    scopes: new Set(scopes),
    policies: new Set(['kyc_verified']),
    roles: [],
    consent: { id: 'c', version: 1, purposes: ['budgeting'], detail: 'full' },
  };
}

function client(document: DocumentNode, queryHash: string): ClientOperation {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('no operation');
  return { document, operation, queryHash };
}

function mustDeny(denials: number): void {
  if (denials === 0) throw new Error('nothing is denied, so this would measure something else');
}
