import './telemetry-off.js';
import apollo from '@apollo/gateway';

/** `@apollo/gateway`, with its telemetry off. Nothing else imports the package at run time. */
export const { ApolloGateway } = apollo;

export type {
  ApolloGateway as ApolloGatewayInstance,
  GatewayConfig as ApolloGatewayConfig,
  GraphQLDataSource,
  GraphQLDataSourceProcessOptions,
  SupergraphManager,
} from '@apollo/gateway';
