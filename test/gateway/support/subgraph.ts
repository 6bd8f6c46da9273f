import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { buildSubgraphSchema, type GraphQLResolverMap } from '@apollo/subgraph';
import { buildProtectedSubgraph, protectedContext, protectedSubgraphPlugin } from '@behalf/directives';
import { completeSubgraph } from '@behalf/directives/internal';
import type { ProtectedSubgraphOptions } from '@behalf/directives';
import { parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { accountsSdl, peopleSdl, resolvers } from '../domain.js';
// A current stock server does not start with another prefix for federation's elements.
import { withFederationNamespace } from '../../../directives/src/specification/federation-namespace.js';
import { bodyOf, listen } from './http.js';
import type { Listening } from './http.js';

export interface Recorded {
  readonly headers: IncomingHttpHeaders;
  readonly query: string;
  readonly variables: unknown;
  readonly text: string;
}

/** A subgraph over real HTTP that records its requests. */
export class TestSubgraph {
  readonly requests: Recorded[] = [];
  /** Answers instead of the subgraph. */
  instead: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;

  readonly #listening: Listening;
  readonly #apollo: ApolloServer;

  private constructor(
    readonly name: string,
    readonly sdl: string,
    listening: Listening,
    apollo: ApolloServer,
  ) {
    this.#listening = listening;
    this.#apollo = apollo;
  }

  get url(): string {
    return `${this.#listening.url}/graphql`;
  }

  /** Every query that reached it, in one text. */
  get queries(): string {
    return this.requests.map(({ query }) => query).join('\n');
  }

  async close(): Promise<void> {
    await this.#listening.close();
    await this.#apollo.stop();
  }

  /** @param gateway Makes it a protected subgraph that trusts this gateway. */
  static async start(
    name: string,
    gateway?: ProtectedSubgraphOptions['gateway'],
    sdl = name === 'people' ? peopleSdl : accountsSdl,
    more: Partial<ProtectedSubgraphOptions> = {},
  ): Promise<TestSubgraph> {
    const own = more.resolvers ?? (name === 'people' ? resolvers.people : resolvers.accounts);
    const schema: GraphQLSchema =
      gateway === undefined
        ? buildSubgraphSchema([
            {
              typeDefs: completeSubgraph(withFederationNamespace(parse(sdl))),
              resolvers: own as GraphQLResolverMap,
            },
          ])
        : buildProtectedSubgraph({
            name,
            typeDefs: sdl,
            gateway,
            coverage: 'open',
            ...more,
            resolvers: own,
          });
    const apollo = new ApolloServer({
      schema,
      plugins: gateway === undefined ? [] : [protectedSubgraphPlugin(schema)],
      stopOnTerminationSignals: false,
      logger: quiet,
    });
    await apollo.start();
    const listening = await listen(async (request, response) => {
      const text = await bodyOf(request);
      const body = JSON.parse(text) as { query: string; variables?: unknown };
      subgraph.requests.push({
        headers: request.headers,
        query: body.query,
        variables: body.variables,
        text: `${JSON.stringify(request.rawHeaders)} ${text}`,
      });
      if (subgraph.instead !== undefined) {
        await subgraph.instead(request, response);
        return;
      }
      const headers = new HeaderMap();
      for (const [header, value] of Object.entries(request.headers)) headers.set(header, String(value));
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: 'POST', headers, search: '', body },
        context: async () => (gateway === undefined ? {} : protectedContext(schema, request.headers, body)),
      });
      for (const [header, value] of answer.headers) response.setHeader(header, value);
      response.statusCode = answer.status ?? 200;
      response.end(answer.body.kind === 'complete' ? answer.body.string : '');
    });
    const subgraph = new TestSubgraph(name, sdl, listening, apollo);
    return subgraph;
  }
}

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
