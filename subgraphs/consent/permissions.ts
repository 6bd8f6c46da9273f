import { createRequire } from 'node:module';

import { GraphQLError, type GraphQLSchema } from 'graphql';
import type * as GraphqlMiddleware from 'graphql-middleware';
import type * as GraphqlShield from 'graphql-shield';

import { type ConsentContext, findConsent, isAdministrator, isAuditor } from './context.js';

// Shield's ES module build does not load on Node 23 and later. Both are loaded as CommonJS, so that rules and middleware come from
// the same copy.
const require = createRequire(import.meta.url);
const { or, rule, shield } = require('graphql-shield') as typeof GraphqlShield;
const { applyMiddleware } = require('graphql-middleware') as typeof GraphqlMiddleware;

/** The error code of a denial by these rules. */
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

const auditor = rule('auditor', { cache: 'contextual' })((_parent, _args, context: ConsentContext) => {
  return isAuditor(context);
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
 * Rules written as code, in addition to the directives; whatever is not named here is denied. Types that only a permitted field
 * returns are open here. `Consent` and `ConsentRecord` are not, because `_entities` and later fields could return them too.
 */
const permissions = shield(
  {
    Query: {
      _service: anybody,
      // The list cannot be null, so the type of each entity decides instead.
      _entities: anybody,
      myConsents: signedIn,
      consent: signedIn,
      consents: administrator,
      suspensions: administrator,
      exportMyConsents: signedIn,
      accessHistory: signedIn,
      auditEvents: auditor,
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
    ConsentLevel: signedIn,
    ConsentExport: signedIn,
    AccessConnection: signedIn,
    AccessEdge: signedIn,
    Access: signedIn,
    AccessedField: signedIn,
    AuditRecordConnection: auditor,
    AuditRecordEdge: auditor,
    AuditRecord: auditor,
  },
  {
    fallbackRule: rule('nobody', { cache: 'no_cache' })(() => false),
    fallbackError: new GraphQLError('Not permitted', { extensions: { code: FORBIDDEN } }),
    // Errors of resolvers keep their code; the server removes what callers must not see.
    allowExternalErrors: true,
  },
);

/** Wraps the schema's resolvers in these rules; the directives' protection wraps both. */
export function withPermissions(schema: GraphQLSchema): GraphQLSchema {
  return applyMiddleware(schema, permissions);
}
