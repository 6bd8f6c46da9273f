import { defaultFieldResolver, getNamedType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { GraphQLField, GraphQLFieldResolver, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { asksNothing, ruleText } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import type { RuleTable } from '../decide/rule-table.js';
import { compileMinimizer } from '../minimize/minimizer.js';
import type { Minimizer } from '../minimize/minimizer.js';
import type { RecordedField } from '../record/recorder.js';
import type { Alternatives } from '../specification/directive-specification.js';
import { requirementDenial, subjectDenial } from './denial.js';
import { protectEntities } from './protect-entities.js';
import type { CompiledProtection, RequestState } from './request-state.js';
import { Interned, isIterable, isPromise } from './values.js';

export type Enforcement = 'enforce' | 'shadow';

export interface ProtectionInput {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly pseudonymKey: Uint8Array | undefined;
  /** `shadow`: nothing is refused or minimized; only the record tells what would be. */
  readonly enforcement: Enforcement;
  /** The state of the request that a context value belongs to; without one, a caller who showed nothing. */
  readonly stateOf: (contextValue: unknown) => RequestState;
}

/** Everything that one field's wrapper needs, worked out before the first request. */
interface FieldPlan {
  readonly record: RecordedField;
  /** The same coordinate with `@subject` as the rule that decided. */
  readonly subjectRecord: RecordedField;
  readonly requirement: Requirement;
  readonly requirementIndex: number;
  /** Property that holds the subject of the row which this field is read from. */
  readonly rowSubject: string | undefined;
  /** Property that holds the subject of the rows which this field returns. */
  readonly returnedSubject: string | undefined;
  readonly minimizer: Minimizer | undefined;
  readonly exemptionIndex: number;
}

/**
 * Puts the check around every field of every object type of a schema, in place. It is the outermost wrapper: what a
 * resolver, or anything put around it before, returns or throws comes after the decision.
 */
export function protectSchema({
  schema,
  rules,
  pseudonymKey,
  enforcement,
  stateOf,
}: ProtectionInput): CompiledProtection {
  const requirements = new Interned<Requirement>();
  const exemptions = new Interned<Alternatives>();
  const fields: RecordedField[] = [];

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__') || type.name === '_Service') continue;
    for (const field of Object.values(type.getFields())) {
      if (type === schema.getQueryType() && (field.name === '_service' || field.name === '_entities'))
        continue;
      const plan = planField(type, field);
      fields.push(plan.record, plan.subjectRecord);
      const resolve = field.resolve ?? defaultFieldResolver;
      if (enforcement === 'shadow') {
        field.resolve = watchResolver(plan, resolve, stateOf);
        continue;
      }
      field.resolve = protectResolver(plan, resolve, stateOf);
      if (field.subscribe !== undefined)
        field.subscribe = protectSubscription(plan, field.subscribe, stateOf);
    }
  }
  if (enforcement === 'enforce') protectEntities(schema, rules, requirements, stateOf);
  return { requirements: requirements.values, exemptions: exemptions.values, fields };

  function standardName(type: GraphQLObjectType): string {
    if (type === schema.getQueryType()) return 'Query';
    if (type === schema.getMutationType()) return 'Mutation';
    return type === schema.getSubscriptionType() ? 'Subscription' : type.name;
  }

  function planField(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): FieldPlan {
    const coordinate = `${type.name}.${field.name}`;
    // In a supergraph the root types have their standard names, and the record is kept by the supergraph's coordinates.
    const recorded = `${standardName(type)}.${field.name}`;
    const requirement = rules.requirementOf(type.name, field.name);
    const rule = rules.field(type.name, field.name);
    const minimization = rule?.minimization;
    const minimizer =
      minimization === undefined
        ? undefined
        : compileMinimizer({
            minimization,
            coordinate,
            returns: getNamedType(field.type).name,
            // In a list, null may stand for an entry only where entries may be null.
            isNonNull: isNonNullType(field.type) || isListType(field.type),
            pseudonymKey,
          });
    return {
      record: {
        index: fields.length,
        coordinate: recorded,
        rule: asksNothing(requirement) ? undefined : ruleText(requirement),
        strategy: minimization?.to,
      },
      subjectRecord: {
        index: fields.length + 1,
        coordinate: recorded,
        rule: '@subject',
        strategy: undefined,
      },
      requirement,
      requirementIndex: requirements.index(requirement),
      rowSubject: rules.type(type.name)?.subject,
      returnedSubject: rules.type(getNamedType(field.type).name)?.subject,
      minimizer,
      exemptionIndex: minimization === undefined ? -1 : exemptions.index(minimization.unless),
    };
  }
}

function protectResolver(
  plan: FieldPlan,
  resolve: GraphQLFieldResolver<unknown, unknown>,
  stateOf: (contextValue: unknown) => RequestState,
): GraphQLFieldResolver<unknown, unknown> {
  const { record, minimizer, returnedSubject } = plan;

  return (source, args, contextValue, info) => {
    const state = stateOf(contextValue);
    refuseUnlessPermitted(plan, state, source);
    const resolved: unknown = resolve(source, args, contextValue, info);
    const value =
      returnedSubject === undefined
        ? resolved
        : withoutForeignRows(resolved, returnedSubject, plan.subjectRecord, state);
    if (minimizer === undefined || state.seesWholeValue(plan.exemptionIndex)) {
      state.recorder.allowed(record);
      return value;
    }
    state.recorder.minimized(record);
    // A caller who showed no token has no client to be pseudonymous towards: all of them share one.
    const context = { clientId: state.delegation?.clientId ?? '' };
    return isPromise(value)
      ? value.then((settled) => minimizer(settled, context))
      : minimizer(value, context);
  };
}

/** In shadow: what the field resolves to goes out as it is, and what would have become of it is counted. */
function watchResolver(
  plan: FieldPlan,
  resolve: GraphQLFieldResolver<unknown, unknown>,
  stateOf: (contextValue: unknown) => RequestState,
): GraphQLFieldResolver<unknown, unknown> {
  const { record, subjectRecord, rowSubject, returnedSubject, minimizer } = plan;

  return (source, args, contextValue, info) => {
    const state = stateOf(contextValue);
    const { recorder } = state;
    if (!state.permits(plan.requirementIndex)) recorder.wouldDeny(record);
    else if (rowSubject !== undefined && !state.owns(source, rowSubject)) recorder.wouldDeny(subjectRecord);
    else if (minimizer !== undefined && !state.seesWholeValue(plan.exemptionIndex))
      recorder.wouldMinimize(record);
    else recorder.allowed(record);
    const value: unknown = resolve(source, args, contextValue, info);
    if (returnedSubject === undefined) return value;
    const watch = (resolved: unknown): void => {
      // Only what can be looked at twice: an iterator would be used up.
      for (const row of Array.isArray(resolved) ? (resolved as unknown[]) : [resolved]) {
        if (typeof row !== 'object' || row === null || row instanceof Error) continue;
        if (!state.owns(row, returnedSubject)) recorder.wouldDeny(subjectRecord);
      }
    };
    if (!isPromise(value)) {
      watch(value);
      return value;
    }
    return value.then((resolved) => {
      watch(resolved);
      return resolved;
    });
  };
}

function protectSubscription(
  plan: FieldPlan,
  subscribe: GraphQLFieldResolver<unknown, unknown>,
  stateOf: (contextValue: unknown) => RequestState,
): GraphQLFieldResolver<unknown, unknown> {
  return (source, args, contextValue, info) => {
    refuseUnlessPermitted(plan, stateOf(contextValue), source);
    return subscribe(source, args, contextValue, info);
  };
}

/** The one place where a subgraph refuses a field. */
function refuseUnlessPermitted(plan: FieldPlan, state: RequestState, source: unknown): void {
  const { record, rowSubject } = plan;
  if (!state.permits(plan.requirementIndex)) {
    state.recorder.denied(record);
    throw requirementDenial(record.coordinate, plan.requirement);
  }
  // Rows are checked where they are returned; this holds for those that come by an interface, a union or a reference.
  if (rowSubject !== undefined && !state.owns(source, rowSubject)) {
    state.recorder.denied(plan.subjectRecord);
    throw subjectDenial(record.coordinate);
  }
}

/**
 * Replaces each row of another subject by a denial: graphql-js turns an Error in a list into a null with an
 * error at that index, so that nothing disappears silently.
 */
function withoutForeignRows(
  value: unknown,
  property: string,
  record: RecordedField,
  state: RequestState,
): unknown {
  if (value === null || value === undefined) return value;
  if (isPromise(value))
    return value.then((resolved) => withoutForeignRows(resolved, property, record, state));
  if (value instanceof Error) return value;
  if (isIterable(value)) return Array.from(value, (row) => withoutForeignRows(row, property, record, state));
  if (state.owns(value, property)) return value;
  state.recorder.denied(record);
  return subjectDenial(record.coordinate);
}
