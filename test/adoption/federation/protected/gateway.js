import { IntrospectAndCompose } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import { jwksHandler, protectGateway } from '@behalf/gateway';
import express from 'express';

const subgraphs = [
  { name: 'people', url: 'http://127.0.0.1:4001' },
  { name: 'orders', url: 'http://127.0.0.1:4002' },
];

const gateway = protectGateway(
  { supergraphSdl: new IntrospectAndCompose({ subgraphs }) },
  {
    issuers: [
      {
        issuer: 'http://127.0.0.1:4003',
        jwksUri: 'http://127.0.0.1:4003/jwks',
        audience: 'https://api.example/graphql',
      },
    ],
    propagation: { issuer: 'http://127.0.0.1:4000' },
    subgraphs: { orders: { headers: { 'x-user-id': { from: 'subject' } } } },
  },
);

const server = new ApolloServer({ gateway });
await server.start();

const app = express();
app.get('/.well-known/jwks.json', jwksHandler(gateway));
app.use(
  '/graphql',
  express.json(),
  expressMiddleware(server, {
    context: ({ req }) => gateway.context({ authorization: req.headersDistinct.authorization ?? [] }),
  }),
);
app.listen(4000, '127.0.0.1', () => console.log('gateway: http://127.0.0.1:4000/graphql'));
