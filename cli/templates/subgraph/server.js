// @ts-check
import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildProtectedSubgraph, protectedContext, protectedSubgraphPlugin } from '@behalf/directives';

const { GATEWAY_ISSUER = 'http://127.0.0.1:4000', PORT = '4001' } = process.env;

/** Sample data. @type {{ id: string, owner: string, text: string, sharedWith: string, location: string }[]} */
const notes = [
  { id: 'n-1', owner: 'alice', text: 'Buy milk', sharedWith: 'bob@example.net', location: 'Helsinki' },
  { id: 'n-2', owner: 'bob', text: 'Call Alice', sharedWith: 'alice@example.net', location: 'Tampere' },
];

const resolvers = {
  Query: {
    greeting: () => 'Hello',
    /**
     * `delegation` says for whom the request is made, and what it may see; undefined without a valid token.
     * @param {unknown} _root
     * @param {unknown} _args
     * @param {import('@behalf/directives').ProtectedContext} context
     */
    myNotes: (_root, _args, { delegation }) => notes.filter(({ owner }) => owner === delegation?.subject),
  },
  Note: {
    /** @param {{ id: string }} reference */
    __resolveReference: ({ id }) => notes.find((note) => note.id === id) ?? null,
  },
};

const schema = buildProtectedSubgraph({
  // The name in the gateway's supergraph.yaml. Transaction tokens for another name are refused.
  name: 'notes',
  typeDefs: readFileSync(new URL('schema.graphql', import.meta.url), 'utf8'),
  resolvers,
  // Only requests that this gateway has signed see more than what is public.
  gateway: { issuer: GATEWAY_ISSUER, jwksUri: `${GATEWAY_ISSUER}/.well-known/jwks.json` },
});

const server = new ApolloServer({ schema, plugins: [protectedSubgraphPlugin(schema)] });
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(PORT) },
  context: ({ req }) => protectedContext(schema, req.headers, req.body),
});
console.log(`subgraph notes: ${url}`);
