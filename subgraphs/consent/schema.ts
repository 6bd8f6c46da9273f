import { buildProtectedSubgraph, type GatewayTrust, type SubgraphLog } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';

import { readSchemaFile } from '../schema-file.js';
import { withPermissions } from './permissions.js';
import { resolvers } from './resolvers.js';

/** The consent subgraph with its rules in force. Its context value is a `ConsentContext`. */
export function buildConsentSchema(options: {
  readonly gateway: GatewayTrust;
  readonly ruleLog?: SubgraphLog | undefined;
}): GraphQLSchema {
  return buildProtectedSubgraph({
    name: 'consent',
    typeDefs: readSchemaFile('consent'),
    resolvers: resolvers,
    gateway: options.gateway,
    log: options.ruleLog,
    transform: withPermissions,
  });
}
