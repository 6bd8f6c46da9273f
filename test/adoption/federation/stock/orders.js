import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const orders = [
  { id: 'o-1', total: 24.9, buyer: { id: 'alma' } },
  { id: 'o-2', total: 120, buyer: { id: 'bert' } },
];

const typeDefs = parse(readFileSync('orders.graphql', 'utf8'));
const resolvers = {
  Query: { myOrders: (_root, _args, { userId }) => orders.filter(({ buyer }) => buyer.id === userId) },
  Order: { __resolveReference: ({ id }) => orders.find((order) => order.id === id) },
};
const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);

const server = new ApolloServer({ schema });
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 4002 },
  context: async ({ req }) => ({ userId: req.headers['x-user-id'] }),
});
console.log(`orders: ${url}`);
