import { buildProtectedSubgraph, type GatewayTrust, type SubgraphLog } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';

import { readSchemaFile } from '../schema-file.js';
import { resolvers } from './resolvers.js';

/** The payments subgraph with its rules in force. Its context value is a `BankContext`. */
export function buildPaymentsSchema(options: {
  readonly gateway: GatewayTrust;
  readonly ruleLog?: SubgraphLog | undefined;
}): GraphQLSchema {
  return buildProtectedSubgraph({
    name: 'payments',
    typeDefs: readSchemaFile('payments'),
    resolvers: resolvers,
    gateway: options.gateway,
    log: options.ruleLog,
  });
}
