import { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';

const subgraphs = [
  { name: 'people', url: 'http://127.0.0.1:4001' },
  { name: 'orders', url: 'http://127.0.0.1:4002' },
];

const gateway = new ApolloGateway({
  supergraphSdl: new IntrospectAndCompose({ subgraphs }),
  buildService: ({ url }) =>
    new RemoteGraphQLDataSource({
      url,
      willSendRequest({ request, context }) {
        if (context.userId !== undefined) request.http.headers.set('x-user-id', context.userId);
      },
    }),
});

const server = new ApolloServer({ gateway });
await server.start();

const app = express();
app.use(
  '/graphql',
  express.json(),
  expressMiddleware(server, { context: async ({ req }) => ({ userId: req.get('x-user-id') }) }),
);
app.listen(4000, '127.0.0.1', () => console.log('gateway: http://127.0.0.1:4000/graphql'));
