import { defaultFieldResolver, getNamedType, isObjectType } from 'graphql';
import type { GraphQLField, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { asksNothing, ruleText } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import type { RuleTable } from '../decide/rule-table.js';
import { compileMinimizer } from '../minimize/minimizer.js';
import type { RecordedField } from '../record/recorder.js';
import type { Alternatives } from '../specification/directive-specification.js';
import type { FieldPlan } from './field-plan.js';
import { compileOwnRows } from './own-rows.js';
import { protectEntities } from './protect-entities.js';
import { protectResolver } from './protect-resolver.js';
import { protectSubscription } from './protect-subscription.js';
import type { CompiledProtection } from './request-state.js';
import type { ProtectionRuntime } from './runtime.js';
import { Interned } from './values.js';
import { watchResolver } from './watch-schema.js';

export type Enforcement = 'enforce' | 'shadow';

export interface ProtectionInput {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly pseudonymKey: Uint8Array | undefined;
  /** `shadow`: nothing is refused or minimized; only the record tells what would be. */
  readonly enforcement: Enforcement;
  readonly runtime: ProtectionRuntime;
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
  runtime,
}: ProtectionInput): CompiledProtection {
  const requirements = new Interned<Requirement>();
  const exemptions = new Interned<Alternatives>();
  const fields: RecordedField[] = [];
  const rootTypes = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__') || type.name === '_Service') continue;
    for (const field of Object.values(type.getFields())) {
      if (type === schema.getQueryType() && (field.name === '_service' || field.name === '_entities'))
        continue;
      const plan = planField(type, field);
      const resolve = field.resolve ?? defaultFieldResolver;
      if (enforcement === 'shadow') {
        field.resolve = watchResolver(plan, resolve, runtime.stateOf);
        continue;
      }
      const isSubscription = type === schema.getSubscriptionType();
      field.resolve = protectResolver(plan, resolve, runtime, isSubscription);
      // Without a function of its own, graphql-js takes the stream from a property of the root value.
      if (isSubscription) {
        const subscribe = field.subscribe ?? defaultFieldResolver;
        field.subscribe = protectSubscription(plan, { subscribe, resolve }, runtime);
      }
    }
  }
  if (enforcement === 'enforce') protectEntities({ schema, rules, requirements, record, runtime });
  return { requirements: requirements.values, exemptions: exemptions.values, fields };

  function record(coordinate: string, rule: string | undefined, strategy?: string): RecordedField {
    const recorded = { index: fields.length, coordinate, rule, strategy };
    fields.push(recorded);
    return recorded;
  }

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
    const minimization = rules.field(type.name, field.name)?.minimization;
    return {
      record: record(
        recorded,
        asksNothing(requirement) ? undefined : ruleText(requirement),
        minimization?.to,
      ),
      subjectRecord: record(recorded, '@subject'),
      requirement,
      requirementIndex: requirements.index(requirement),
      isRoot: rootTypes.has(type),
      rowSubject: rules.type(type.name)?.subject,
      returnedSubject: rules.type(getNamedType(field.type).name)?.subject,
      ownRows: compileOwnRows(field.type, schema, rules),
      minimizer:
        minimization === undefined
          ? undefined
          : compileMinimizer({
              minimization,
              coordinate,
              type: field.type,
              pseudonymKey,
              onUnreadable: () => {
                runtime.log.report('VALUE_NOT_MINIMIZED', coordinate);
              },
            }),
      exemptionIndex: minimization === undefined ? -1 : exemptions.index(minimization.unless),
    };
  }
}
