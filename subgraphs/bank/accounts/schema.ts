import { buildProtectedSubgraph, type GatewayTrust, type SubgraphLog } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';

import { readSchemaFile } from '../shared/schema-file.js';
import { resolvers } from './resolvers.js';

/** The accounts subgraph with its rules in force. Its context value is a `BankContext`. */
export function buildAccountsSchema(options: {
  readonly gateway: GatewayTrust;
  /** Derives pseudonyms: at least 32 bytes, the same on every instance. */
  readonly pseudonymKey: Uint8Array;
  readonly ruleLog?: SubgraphLog | undefined;
}): GraphQLSchema {
  return buildProtectedSubgraph({
    name: 'accounts',
    typeDefs: readSchemaFile('accounts'),
    resolvers,
    gateway: options.gateway,
    log: options.ruleLog,
    pseudonymKey: options.pseudonymKey,
  });
}
