import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { ApolloGateway } from '@behalf/gateway/internal/apollo';
import { runAsChild } from '../harness/child.js';

// The stock gateway as its documentation shows it, without any protection.
await runAsChild(async () => {
  const gateway = new ApolloGateway({ supergraphSdl: process.env.BENCH_SUPERGRAPH ?? '' });
  const server = new ApolloServer({ gateway });
  const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 0 } });
  return { url, close: () => server.stop() };
});
