import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import { FACTS_EXTENSION } from '@behalf/directives/internal';
import type { GatewayTrust } from '@behalf/directives';
import {
  getNamedType,
  getNullableType,
  graphql,
  isEnumType,
  isLeafType,
  isListType,
  isObjectType,
  parse,
} from 'graphql';
import type { GraphQLOutputType, GraphQLSchema } from 'graphql';
import { listen, readBody } from '@behalf/http';
import { LIST_LENGTHS } from './operations.js';
import { BENCH_SUBGRAPHS, openSdl, protectedSdl } from './schemas.js';
import type { BenchSubgraph } from './schemas.js';

export interface BenchSubgraphs {
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Subgraphs with the example's schemas. Each body is executed once and then answered from memory, so that only the gateway is
 * measured. With `trust` they are protected, without it they are open.
 */
export async function startBenchSubgraphs(trust: GatewayTrust | undefined): Promise<BenchSubgraphs> {
  const servers = await Promise.all(
    BENCH_SUBGRAPHS.map(async (name) => [name, await serve(name, trust)] as const),
  );
  return {
    urls: Object.fromEntries(servers.map(([name, { origin }]) => [name, `${origin}/`])),
    async close() {
      for (const [, { server }] of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function serve(
  name: BenchSubgraph,
  trust: GatewayTrust | undefined,
): Promise<{ server: Server; origin: string }> {
  const sdl = trust === undefined ? openSdl(name) : protectedSdl(name);
  const resolvers = constantResolvers(buildSubgraphSchema(parse(openSdl(name))));
  const schema =
    trust === undefined
      ? buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }])
      : buildProtectedSubgraph({
          name,
          typeDefs: sdl,
          resolvers,
          gateway: trust,
          pseudonymKey: new Uint8Array(32).fill(1),
        });
  const remembered = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    void (async () => {
      const body = (await readBody(request, { maxBytes: MAX_BODY_BYTES })).toString();
      let answer = remembered.get(body);
      if (answer === undefined) {
        answer = await execute(schema, trust !== undefined, body, request);
        remembered.set(body, answer);
      }
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    })();
  });
  server.keepAliveTimeout = 60_000;
  const { origin } = await listen(server, '127.0.0.1', 0);
  return { server, origin };
}

async function execute(
  schema: GraphQLSchema,
  isProtected: boolean,
  body: string,
  request: IncomingMessage,
): Promise<Buffer> {
  const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
  const contextValue = isProtected ? { ...(await protectedContext(schema, request.headers)) } : {};
  const result = await graphql({ schema, source: query, variableValues: variables ?? {}, contextValue });
  const facts = isProtected ? finishProtectedRequest(schema, contextValue) : undefined;
  return Buffer.from(
    JSON.stringify(facts === undefined ? result : { ...result, extensions: { [FACTS_EXTENSION]: facts } }),
  );
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Rows that belong to the one subject of the benchmark, with a value for every field. */
const ROW = { id: 'c-000001', holderId: 'c-000001', subject: 'c-000001', payerId: 'c-000001' };

type Resolvers = Record<string, Record<string, (source: unknown) => unknown>>;

function constantResolvers(schema: GraphQLSchema): Resolvers {
  const resolvers: Resolvers = {};
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    const ofType: Record<string, (source: unknown) => unknown> = {
      __resolveReference: (reference) => ({ ...ROW, ...(reference as object) }),
    };
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_')) continue;
      const value = valueOf(field.type, `${type.name}.${field.name}`);
      // A row has the identifier of its reference.
      ofType[field.name] =
        field.name === 'id' ? (source) => (source as { id?: unknown }).id ?? value : () => value;
    }
    resolvers[type.name] = ofType;
  }
  return resolvers;
}

function valueOf(type: GraphQLOutputType, coordinate: string): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    return Array.from({ length: LIST_LENGTHS[coordinate] ?? 2 }, () => valueOf(nullable.ofType, coordinate));
  }
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.value;
  if (!isLeafType(named)) return { ...ROW };
  switch (named.name) {
    case 'Int':
      return 12;
    case 'Float':
      return 59.3293;
    case 'Boolean':
      return true;
    case 'Date':
      return '1984-05-23';
    case 'DateTime':
      return '2026-03-04T10:11:12Z';
    case 'Decimal':
      return '1234.56';
    default:
      return `${coordinate} of somebody`;
  }
}
