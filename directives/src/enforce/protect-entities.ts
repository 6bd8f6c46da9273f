import { isInterfaceType, isObjectType, isUnionType } from 'graphql';
import type { GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { isMet } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import type { RuleTable } from '../decide/rule-table.js';
import { DirectiveError } from '../errors.js';
import { requirementDenial, subjectDenial } from './denial.js';
import type { RequestState } from './request-state.js';
import { isPromise } from './values.js';
import type { Interned } from './values.js';

interface ApolloExtensions {
  readonly apollo?: { readonly subgraph?: { readonly resolveReference?: ReferenceResolver } };
}

type ReferenceResolver = (reference: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

/**
 * `_entities` reaches any entity by its key, past every root field. The rule of the entity's type is decided before its
 * `__resolveReference` runs, and `@subject` on what it returns; the fields behind are protected like all others.
 */
export function protectEntities(
  schema: GraphQLSchema,
  rules: RuleTable,
  requirements: Interned<Requirement>,
  stateOf: (contextValue: unknown) => RequestState,
): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    const rule = rules.type(type.name);
    const { apollo } = type.extensions as ApolloExtensions;
    const resolveReference = apollo?.subgraph?.resolveReference;
    if (rule === undefined || (rule.subject === undefined && isMet(rule.own, undefined))) {
      if (resolveReference !== undefined) setResolver(type, (...args) => settled(resolveReference(...args)));
      continue;
    }
    const { subject } = rule;
    if (subject !== undefined && resolveReference === undefined && isEntity(schema, type.name)) {
      // The reference would be the row, and whoever sends it would say whose it is.
      throw new DirectiveError(
        'INVALID_RULE',
        'an entity with @subject needs a __resolveReference',
        type.name,
      );
    }
    const requirementIndex = requirements.index(rule.own);

    const protectedResolver: ReferenceResolver = (reference, contextValue, info) => {
      const state = stateOf(contextValue);
      if (!state.permits(requirementIndex)) return requirementDenial(type.name, rule.own);
      const entity =
        resolveReference === undefined ? reference : resolveReference(reference, contextValue, info);
      if (subject === undefined) return settled(entity);
      const check = (row: unknown): unknown =>
        row === null || row === undefined || row instanceof Error || state.owns(row, subject)
          ? row
          : subjectDenial(type.name);
      return isPromise(entity) ? settled(entity.then(check)) : check(entity);
    };
    setResolver(type, protectedResolver);
  }

  function setResolver(type: GraphQLObjectType | GraphQLInterfaceType, resolver: ReferenceResolver): void {
    const { apollo } = type.extensions as ApolloExtensions;
    type.extensions = {
      ...type.extensions,
      apollo: { ...apollo, subgraph: { ...apollo?.subgraph, resolveReference: resolver } },
    };
  }
}

/**
 * A promise that resolves to the error instead of rejecting; graphql-js makes the same of both. `_entities` starts all
 * references and throws at the first whose `__typename` it does not know: nobody would hear the rejection of an earlier one,
 * and Node ends a process for that.
 */
function settled(entity: unknown): unknown {
  if (!isPromise(entity)) return entity;
  return entity.then(undefined, (error: unknown) =>
    error instanceof Error ? error : new Error('A reference could not be resolved', { cause: error }),
  );
}

function isEntity(schema: GraphQLSchema, typeName: string): boolean {
  const entities = schema.getType('_Entity');
  return isUnionType(entities) && entities.getTypes().some((type) => type.name === typeName);
}
