import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const people = [
  { id: 'alma', name: 'Alma Lind', phone: '+358 40 123 4567', birthDate: '1990-05-06' },
  { id: 'bert', name: 'Bert Holm', phone: '+358 50 765 4321', birthDate: '1985-11-23' },
];

const typeDefs = parse(readFileSync('people.graphql', 'utf8'));
const resolvers = {
  Query: { people: () => people },
  Person: { __resolveReference: ({ id }) => people.find((person) => person.id === id) },
};
const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);

const server = new ApolloServer({ schema });
const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 4001 } });
console.log(`people: ${url}`);
