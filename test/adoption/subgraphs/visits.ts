// A NestJS subgraph, code first. NestJS keeps directives in `astNode`.
import 'reflect-metadata';
import {
  directiveDefinitions,
  protectedContext,
  protectedSubgraphPlugin,
  protectSchema,
} from '@behalf/directives';
import { ApolloFederationDriver } from '@nestjs/apollo';
import type { ApolloFederationDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Directive,
  Field,
  GraphQLModule,
  ID,
  ObjectType,
  Query,
  Resolver,
  ResolveReference,
} from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';

@ObjectType()
@Directive('@key(fields: "id")')
@Directive('@subject(field: "patient")')
class Visit {
  @Field(() => ID)
  @Directive('@public')
  id!: string;

  @Field()
  @Directive('@requiresScope(scope: "visits:read")')
  clinic!: string;

  @Field({ nullable: true })
  @Directive('@requiresScope(scope: "visits:read")')
  @Directive('@minimize(to: GENERALIZE, unit: MONTH, unless: [["visits:date"]])')
  date?: string;

  @Field({ nullable: true })
  @Directive('@requiresScope(scope: "visits:diagnosis")')
  diagnosis?: string;

  patient!: string;
}

const visits: Visit[] = [
  { id: 'v-1', patient: 'alma', clinic: 'North', date: '2026-03-17', diagnosis: 'Flu' },
  { id: 'v-2', patient: 'bert', clinic: 'South', date: '2026-04-02', diagnosis: 'Sprain' },
];

@Resolver(() => Visit)
class VisitResolver {
  @Query(() => [Visit], { nullable: true })
  @Directive('@requiresScope(scope: "visits:read")')
  visits(): Visit[] {
    return visits;
  }

  @ResolveReference()
  resolveReference({ id }: { id: string }): Visit | undefined {
    return visits.find((visit) => visit.id === id);
  }
}

let schema: GraphQLSchema;

@Module({
  imports: [
    GraphQLModule.forRoot<ApolloFederationDriverConfig>({
      driver: ApolloFederationDriver,
      path: '/',
      autoSchemaFile: { federation: { version: 2, importUrl: 'https://specs.apollo.dev/federation/v2.12' } },
      buildSchemaOptions: { directives: [...directiveDefinitions] },
      transformSchema(built) {
        schema = protectSchema(built, {
          name: 'visits',
          gateway: {
            issuer: 'http://127.0.0.1:4000',
            jwksUri: 'http://127.0.0.1:4000/.well-known/jwks.json',
          },
        });
        return schema;
      },
      context: ({ req }) => protectedContext(schema, req, req.body),
      plugins: [protectedSubgraphPlugin(() => schema)],
    }),
  ],
  providers: [VisitResolver],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(4002, '127.0.0.1');
console.log('visits: http://127.0.0.1:4002/');
