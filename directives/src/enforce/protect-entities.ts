import { isInterfaceType, isObjectType, isUnionType } from 'graphql';
import type { GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { isUnrestricted } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import { ruleText } from '../decide/rule-text.js';
import type { RuleTable } from '../decide/rule-table.js';
import { DirectiveError } from '../errors.js';
import type { RecordedField } from '../record/recorder.js';
import { entitiesFieldOf } from '../schema/federation-fields.js';
import { SUBJECT_RULE } from '../specification/subject.js';
import { requirementDenial } from './denial.js';
import { eachByItself, referenceError } from './entity-references.js';
import { compileOwnRows } from './own-rows.js';
import type { OwnerOf, RowsCall } from './own-rows.js';
import type { ProtectionRuntime } from './runtime.js';
import { awaitedLater, isPromise } from './values.js';
import type { Interned } from './values.js';

interface ApolloExtensions {
  readonly apollo?: { readonly subgraph?: { readonly resolveReference?: ReferenceResolver } };
}

type ReferenceResolver = (reference: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

export interface EntitiesInput {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly requirements: Interned<Requirement>;
  readonly record: (coordinate: string, rule: string | undefined) => RecordedField;
  readonly ownerOf: OwnerOf;
  readonly runtime: ProtectionRuntime;
}

/**
 * `_entities` reaches any entity by its key, bypassing every root field. The rule of the entity's type is decided before its
 * `__resolveReference` runs, and `@subject` on its result: null in the reference's position for a foreign row, as for a missing
 * one. The entity's fields are protected like all others.
 */
export function protectEntities(input: EntitiesInput): void {
  const { schema, rules, runtime } = input;
  beginAtEntities(schema, runtime);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    const rule = rules.type(type.name);
    const resolveReference = referenceResolverOf(type);
    if (rule?.subject !== undefined && resolveReference === undefined && isEntity(schema, type.name)) {
      // The reference would be the row, so its sender would choose the owner.
      throw new DirectiveError(
        'INVALID_RULE',
        'an entity with @subject needs a __resolveReference',
        type.name,
      );
    }
    // An interface has no rule of its own here, and without a function its implementers resolve its references.
    const permitted =
      rule === undefined || isUnrestricted(rule.own)
        ? resolveReference
        : whenPermitted(type, rule.own, resolveReference, input);
    if (permitted !== undefined) setReferenceResolver(type, withoutForeignRow(type, permitted, input));
  }
}

/** Each field of `_entities` is decided separately; the operation begins here, as at every other root field. */
function beginAtEntities(schema: GraphQLSchema, { stateOf, clock }: ProtectionRuntime): void {
  const field = entitiesFieldOf(schema);
  if (field?.resolve === undefined) return;
  const resolve = eachByItself(field.resolve);
  field.resolve = (source, args, contextValue, info) => {
    stateOf(contextValue).begin(info.variableValues, clock.now());
    return resolve(source, args, contextValue, info);
  };
}

function whenPermitted(
  type: GraphQLObjectType | GraphQLInterfaceType,
  requirement: Requirement,
  resolveReference: ReferenceResolver | undefined,
  { requirements, record, runtime }: EntitiesInput,
): ReferenceResolver {
  const requirementIndex = requirements.index(requirement);
  const recorded = record(recordedAs(type), ruleText(requirement));
  return (reference, contextValue, info) => {
    const state = runtime.stateOf(contextValue);
    if (state.permits(requirementIndex)) {
      return resolveReference === undefined ? reference : resolveReference(reference, contextValue, info);
    }
    state.recorder.denied(recorded);
    return requirementDenial(type.name, requirement);
  };
}

function withoutForeignRow(
  type: GraphQLObjectType | GraphQLInterfaceType,
  resolveReference: ReferenceResolver,
  { schema, ownerOf, record, runtime }: EntitiesInput,
): ReferenceResolver {
  const isAbstract = isInterfaceType(type);
  const ownRows = compileOwnRows(type, schema, ownerOf);
  if (ownRows === undefined) return (...args) => byItself(() => resolveReference(...args), isAbstract);
  const recorded = record(recordedAs(type), SUBJECT_RULE);
  return (reference, contextValue, info) => {
    const call: RowsCall = { state: runtime.stateOf(contextValue), contextValue, info, foreign: 0 };
    const tell = (row: unknown): unknown => {
      if (call.foreign > 0) {
        call.state.recorder.denied(recorded);
        runtime.log.report('FOREIGN_ROWS', type.name);
      }
      return row;
    };
    return byItself(() => {
      const row = ownRows(resolveReference(reference, contextValue, info), call);
      return isPromise(row) ? row.then(tell) : tell(row);
    }, isAbstract);
  };
}

/** No field leads to an entity, but the record needs a field's coordinate: the entity's first one, usually its key. */
function recordedAs(type: GraphQLObjectType | GraphQLInterfaceType): string {
  const [first = ''] = Object.keys(type.getFields());
  return `${type.name}.${first}`;
}

function referenceResolverOf(type: GraphQLObjectType | GraphQLInterfaceType): ReferenceResolver | undefined {
  return (type.extensions as ApolloExtensions).apollo?.subgraph?.resolveReference;
}

function setReferenceResolver(
  type: GraphQLObjectType | GraphQLInterfaceType,
  resolveReference: ReferenceResolver,
): void {
  const { apollo } = type.extensions as ApolloExtensions;
  type.extensions = {
    ...type.extensions,
    apollo: { ...apollo, subgraph: { ...apollo?.subgraph, resolveReference } },
  };
}

/**
 * Resolves one reference, so that whatever happens to it happens to no other one. `_entities` resolves all of them in one loop:
 * one that throws would end it, and an earlier rejection would then be unhandled, which ends a Node process. graphql-js treats a
 * returned error like a thrown one.
 */
function byItself(resolve: () => unknown, isAbstract: boolean): unknown {
  try {
    return settled(resolve(), isAbstract);
  } catch (error) {
    return settled(referenceError(error), isAbstract);
  }
}

/** A promise that resolves to the error instead of rejecting. */
function settled(entity: unknown, isAbstract: boolean): unknown {
  if (isPromise(entity))
    return entity.then(
      (row) => settled(row, isAbstract),
      (error: unknown) => settled(referenceError(error), isAbstract),
    );
  // For an interface, `_entities` would look for the type of an error that it was given. It awaits a rejection at once.
  return isAbstract && entity instanceof Error ? awaitedLater(Promise.reject(entity)) : entity;
}

function isEntity(schema: GraphQLSchema, typeName: string): boolean {
  const entities = schema.getType('_Entity');
  return isUnionType(entities) && entities.getTypes().some((type) => type.name === typeName);
}
