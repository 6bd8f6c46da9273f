import { buildProtectedSubgraph, type GatewayTrust, type SubgraphLog } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';

import { readSchemaFile } from '../schema-file.js';
import { resolvers } from './resolvers.js';

/** The accounts subgraph with its rules in force. Its context value is a `BankContext`. */
export function buildAccountsSchema(options: {
  readonly gateway: GatewayTrust;
  /** At least 32 bytes, the same on every instance: pseudonyms are made with it. */
  readonly pseudonymKey: Uint8Array;
  readonly ruleLog?: SubgraphLog | undefined;
}): GraphQLSchema {
  return buildProtectedSubgraph({
    name: 'accounts',
    typeDefs: readSchemaFile('accounts'),
    resolvers: resolvers,
    gateway: options.gateway,
    log: options.ruleLog,
    pseudonymKey: options.pseudonymKey,
  });
}
