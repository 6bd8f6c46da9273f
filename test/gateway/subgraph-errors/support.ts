import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { GraphQLError } from 'graphql';
import { LINKS, startParts } from '../../conformance/support.js';
import type { Part } from '../../conformance/support.js';
import { protectGateway } from '../../../gateway/index.js';
import type { GatewayConfig, ProtectionOptions } from '../../../gateway/index.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  compose,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestLog,
} from '../support.js';
import type { Answer, Asking, TestSubgraph } from '../support.js';

/** The stored value: too large for an Int, so graphql-js quotes it. */
export const TAX_NUMBER = 4_123_456_789;
/** Prefix of every value that must stay hidden. */
export const SECRET = 'secret-';

const person = {
  __typename: 'Person',
  taxNumber: TAX_NUMBER,
  name: 'Alma',
  level: `${SECRET}level`,
  birthday: `${SECRET}birthday`,
  weight: `${SECRET}weight`,
  emailAddress: `${SECRET}mail@example.org`,
};
const company = { __typename: 'Company', vat: 'v-1', name: 'Works' };

function fail(message: string, extensions: Record<string, unknown> = {}): never {
  throw new GraphQLError(message, { extensions });
}

/** Resolvers of `people`, which tests replace. */
export const people: Part = {
  name: 'people',
  sdl: `${LINKS}
    scalar Birthday
    enum Level { LOW HIGH }
    interface Party { name: String rank: String }
    union Found = Person | Company
    type Query {
      person: Person
      people: [Person]
      parties: [Party]
      found: [Found]
      search(text: String): [Person]
      broken: String
      checked(text: String): String
      byLevel(level: Level): String
      secretChecked(text: String): String @requiresScope(scope: "checked")
    }
    type Mutation { rename(name: String): Person refuse(name: String): String }
    type Person implements Party @key(fields: "taxNumber") {
      taxNumber: Int @requiresScope(scope: "tax")
      name: String
      level: Level @requiresScope(scope: "level")
      birthday: Birthday
      weight: Float
      email(like: String): String @minimize(to: MASK, showLength: true)
      leaking: String
      secret: String @requiresScope(scope: "secret")
      secretByLevel(level: Level): String @requiresScope(scope: "secret")
      pets: [Pet]
      rank: String
    }
    type Pet { name: String! fails: String! }
    type Company implements Party @key(fields: "vat") { vat: ID name: String rank: String @requiresScope(scope: "rank") kind: String }`,
  resolvers: {
    Query: {
      person: () => person,
      people: () => [person, null, person],
      parties: () => [company, person],
      found: () => [company, person, company],
      search: () => fail(`no match for ${SECRET}text`, { code: 'BAD_USER_INPUT', value: `${SECRET}value` }),
      broken: () =>
        fail(`${SECRET}broken`, { code: 'BROKEN', value: `${SECRET}value`, stacktrace: [`${SECRET}trace`] }),
      checked: () => fail('text is too short', { code: 'BAD_USER_INPUT', hint: `${SECRET}hint` }),
      secretChecked: () => fail('text is too short', { code: 'BAD_USER_INPUT' }),
    },
    Mutation: {
      rename: () => person,
      refuse: () =>
        fail('the name is taken', { code: 'BAD_USER_INPUT', exception: { stacktrace: [`${SECRET}trace`] } }),
    },
    Person: {
      email: (row: typeof person) => fail(`not like ${row.emailAddress}`, { code: 'BAD_USER_INPUT' }),
      leaking: (row: typeof person) =>
        fail(`row ${row.taxNumber} is locked`, {
          code: 'LOCKED',
          row,
          exception: { stacktrace: [String(row.taxNumber)] },
        }),
      pets: () => [{ name: 'Rex' }, { name: 'Tom' }],
    },
    Pet: { fails: () => fail(`${SECRET}pet`) },
  },
};

export const cities: Part = {
  name: 'cities',
  sdl: `${LINKS}
    type Query { weather: String }
    type Person @key(fields: "taxNumber") { taxNumber: Int @requiresScope(scope: "tax") city: String street: String weight: Float @external fit: String @requires(fields: "weight") }
    type Company @key(fields: "vat") { vat: ID city: String seat: String! }`,
  resolvers: {
    Query: { weather: () => 'fine' },
    Person: {
      __resolveReference: (reference: object) => reference,
      city: () => 'Graz',
      street: ({ taxNumber }: { taxNumber: number }) =>
        fail(`no street of ${taxNumber}`, { code: 'BAD_USER_INPUT' }),
    },
    Company: {
      __resolveReference: (reference: object) => reference,
      city: () => fail(`${SECRET}city`, { code: 'LOST' }),
      seat: () => 'Linz',
    },
  },
};

export interface Setting {
  readonly url: string;
  readonly subgraphs: ReadonlyMap<string, TestSubgraph>;
  readonly log: TestLog;
  /** @param scopes Undefined for a caller without a token. */
  ask(query: string, scopes?: string, asking?: Asking): Promise<Answer>;
  close(): Promise<void>;
}

export type ServeOptions = Pick<ProtectionOptions, 'authorization' | 'subgraphErrors' | 'audit' | 'limits'> &
  Pick<GatewayConfig, 'http'>;

export type Serving = 'server' | 'protectGateway';

/** A real gateway in front of real subgraphs that protect nothing. */
export async function serve(
  serving: Serving,
  parts: readonly Part[] = [people, cities],
  { http, ...options }: ServeOptions = {},
): Promise<Setting> {
  const cleanup = new Cleanup();
  const issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  const subgraphs = await startParts(parts, cleanup);
  const supergraph = compose(...subgraphs.values());
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  let url: string;
  let log = new TestLog();
  if (serving === 'server') {
    const { authorization, subgraphErrors, limits } = options;
    const gateway = await startTestGateway(cleanup, supergraph, {
      issuers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(subgraphErrors === undefined ? {} : { subgraphErrors }),
      ...(limits === undefined ? {} : { limits }),
      ...(http === undefined ? {} : { http }),
    });
    url = `${gateway.url}/graphql`;
    ({ log } = gateway);
  } else {
    const gateway = protectGateway(
      { supergraphSdl: supergraph },
      { issuers, propagation: { issuer: 'https://gateway.example' }, log, ...options },
    );
    const server = new ApolloServer({
      gateway,
      // The worst configuration that a team can choose.
      includeStacktraceInErrorResponses: true,
      stopOnTerminationSignals: false,
    });
    ({ url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } }));
    cleanup.add(() => server.stop());
  }
  return {
    url,
    subgraphs,
    log,
    async ask(query, scopes, asking = {}) {
      const token = scopes === undefined ? undefined : await issuer.mint({ scope: scopes });
      return ask(url, query, { token, ...asking });
    },
    close: () => cleanup.run(),
  };
}

/** Makes a subgraph answer with this, whatever the request. */
export function answers(
  body: unknown,
  status = 200,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => sendJson(response, status, body);
}

/** `path code` of each error. */
export function placed({ body }: Answer): string[] {
  return (body.errors ?? []).map(
    ({ path, extensions }) => `${path?.join('.') ?? '-'} ${String(extensions?.code)}`,
  );
}

/** Each path follows the data, until it ends or meets the null that it explains. */
export function leadAlong({ body }: Answer): boolean {
  return (body.errors ?? []).every(({ path = [] }) => {
    let at: unknown = body.data;
    for (const step of path) {
      if (at === null) return true;
      if (typeof at !== 'object' || !Object.hasOwn(at, step)) return false;
      at = (at as Record<string | number, unknown>)[step];
    }
    return true;
  });
}
