import { createRequire } from 'node:module';

import { GraphQLError, type GraphQLSchema } from 'graphql';
import type * as GraphqlMiddleware from 'graphql-middleware';
import type * as GraphqlShield from 'graphql-shield';

import { type ConsentContext, findConsent, isAdministrator } from './context.js';

// Shield's ES module build does not load on Node 23 and later: both are taken as CommonJS, since shield's rules must be
// of the same copy of the middleware that applies them.
const require = createRequire(import.meta.url);
const { or, rule, shield } = require('graphql-shield') as typeof GraphqlShield;
const { applyMiddleware } = require('graphql-middleware') as typeof GraphqlMiddleware;

/** The code of a denial by these rules, as the directives' denials have theirs. */
export const FORBIDDEN = 'FORBIDDEN';

const anybody = rule('anybody', { cache: 'no_cache' })(() => true);

const signedIn = rule('signedIn', { cache: 'contextual' })((_parent, _args, context: ConsentContext) => {
  return context.delegation !== undefined;
});

const administrator = rule('administrator', { cache: 'contextual' })((
  _parent,
  _args,
  context: ConsentContext,
) => {
  return isAdministrator(context);
});

const ownsConsent = rule('ownsConsent', { cache: 'strict' })(async (
  _parent,
  { id }: { id: string },
  context: ConsentContext,
) => {
  const { delegation } = context;
  if (delegation === undefined || !delegation.scopes.has('consents:write')) return false;
  const consent = await findConsent(id, context);
  return consent?.subject === delegation.subject;
});

/**
 * Rules that are code beside the directives, which decide first and again: what is not named here is denied. Types that
 * only a permitted field returns are open here; `Consent` and `ConsentRecord` are not, since `_entities` and later fields
 * could return them as well.
 */
const permissions = shield(
  {
    Query: {
      _service: anybody,
      // Its list may not be null: each entity in it is decided by its type instead.
      _entities: anybody,
      myConsents: signedIn,
      consent: signedIn,
      consents: administrator,
      suspensions: administrator,
      exportMyConsents: signedIn,
    },
    Mutation: {
      narrowConsent: ownsConsent,
      exportConsents: administrator,
      revokeConsent: or(administrator, ownsConsent),
      revokeToken: administrator,
      revokeClient: administrator,
      revokeSubjectSessions: administrator,
      revokeSession: administrator,
      suspendClient: administrator,
      resumeClient: administrator,
      emergencyStop: administrator,
      liftEmergencyStop: administrator,
    },
    _Service: anybody,
    Consent: signedIn,
    ConsentRecord: administrator,
    ConsentRecordConnection: administrator,
    ConsentRecordEdge: administrator,
    PageInfo: anybody,
    Revocation: signedIn,
    TokenRevocation: administrator,
    SessionsRevocation: administrator,
    SuspensionChange: administrator,
    Suspension: administrator,
    InForce: signedIn,
    EndedConsent: signedIn,
    Narrowing: signedIn,
    NarrowedConsent: signedIn,
    ConsentExport: signedIn,
  },
  {
    fallbackRule: rule('nobody', { cache: 'no_cache' })(() => false),
    fallbackError: new GraphQLError('Not permitted', { extensions: { code: FORBIDDEN } }),
    // What the resolvers throw keeps its code; what is not meant for callers is removed by the server.
    allowExternalErrors: true,
  },
);

/** Puts the rules around the schema's resolvers; the directives' protection goes around all of it. */
export function withPermissions(schema: GraphQLSchema): GraphQLSchema {
  return applyMiddleware(schema, permissions);
}
