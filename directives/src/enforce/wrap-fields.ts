import { getNamedType, isObjectType } from 'graphql';
import type { GraphQLField, GraphQLFieldResolver, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { FilterInputs } from '../decide/filter-inputs.js';
import type { Minimization } from '../decide/minimization.js';
import { isUnrestricted } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import { ruleText } from '../decide/rule-text.js';
import type { RuleTable } from '../decide/rule-table.js';
import { compileMinimizer } from '../minimize/minimizer.js';
import type { Minimizer } from '../minimize/minimizer.js';
import { Pseudonyms } from '../minimize/pseudonyms.js';
import type { FormerPseudonymKey } from '../minimize/pseudonyms.js';
import type { RecordedField } from '../record/recorder.js';
import { FILTERS_RULE } from '../specification/filters.js';
import type { MinimizeStatement } from '../specification/minimize.js';
import type { Alternatives } from '../specification/read-arguments.js';
import { SUBJECT_RULE } from '../specification/subject.js';
import { isFederationField } from '../schema/federation-fields.js';
import { entityKeyOf } from './entity-key.js';
import type { FieldFilters, FieldPlan } from './field-plan.js';
import { compileOwnRows } from './own-rows.js';
import type { RowOwner } from './row-owner.js';
import { protectEntities } from './protect-entities.js';
import { protectResolver } from './protect-resolver.js';
import { protectSubscription } from './protect-subscription.js';
import type { Enforcement } from './protection-options.js';
import type { CompiledProtection, PseudonymizedField } from './request-state.js';
import type { ProtectionRuntime } from './runtime.js';
import { Interned } from './values.js';
import { watchResolver } from './watch-schema.js';

export interface ProtectionInput {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly pseudonymKey: Uint8Array | undefined;
  readonly formerPseudonymKeys: readonly FormerPseudonymKey[];
  readonly enforcement: Enforcement | undefined;
  /** Resolves fields without a resolver of their own. */
  readonly fieldResolver: Resolver;
  readonly subscribeFieldResolver: Resolver;
  readonly runtime: ProtectionRuntime;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/**
 * Wraps every field of every object type of a schema in the check, in place. It is the outermost wrapper: results and errors of
 * a resolver, or of earlier wrappers, come after the decision.
 */
export function wrapFields(input: ProtectionInput): CompiledProtection {
  const { schema, rules, enforcement, runtime } = input;
  const planner = new FieldPlanner(input);
  const plans = new Map<string, FieldPlan>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (isFederationField(schema, type, field)) continue;
      const plan = planner.plan(type, field);
      plans.set(`${type.name}.${field.name}`, plan);
      wrapField(type, field, plan, input);
    }
  }
  const { requirements, minimizations, rowExemptions, fields } = planner;
  if (enforcement !== 'shadow')
    protectEntities({
      schema,
      rules,
      requirements,
      record: (coordinate, rule) => planner.record(coordinate, rule),
      ownerOf: planner.ownerOf,
      runtime,
    });
  return {
    requirements: requirements.values,
    minimizations,
    rowExemptions: rowExemptions.values,
    fields,
    plans,
    isEnforced: enforcement !== 'shadow',
    pseudonyms: planner.pseudonyms,
    clock: runtime.clock,
  };
}

function wrapField(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  plan: FieldPlan,
  { schema, enforcement, fieldResolver, subscribeFieldResolver, runtime }: ProtectionInput,
): void {
  const resolve = field.resolve ?? fieldResolver;
  if (enforcement === 'shadow') {
    field.resolve = watchResolver(plan, resolve, runtime.stateOf);
    return;
  }
  const isSubscription = type === schema.getSubscriptionType();
  field.resolve = protectResolver(plan, resolve, runtime, isSubscription);
  if (!isSubscription) return;
  // Without a function of its own, graphql-js takes the stream from a property of the root value.
  const subscribe = field.subscribe ?? subscribeFieldResolver;
  field.subscribe = protectSubscription(plan, { subscribe, resolve }, runtime);
}

/** Computes the plan of each field, and numbers what plans share. */
class FieldPlanner {
  readonly requirements = new Interned<Requirement>();
  readonly minimizations: Minimization[] = [];
  /** From `@subject`. */
  readonly rowExemptions = new Interned<Alternatives>();
  readonly fields: RecordedField[] = [];
  readonly pseudonyms = new Map<string, PseudonymizedField>();
  /** In a supergraph the root types have their standard names, and the record uses the supergraph's coordinates. */
  readonly #rootNames: ReadonlyMap<GraphQLObjectType | null | undefined, string>;
  readonly #input: ProtectionInput;
  readonly #inputs: FilterInputs;

  constructor(input: ProtectionInput) {
    this.#input = input;
    this.#inputs = new FilterInputs(input.schema, input.rules.filters);
    this.#rootNames = new Map([
      [input.schema.getQueryType(), 'Query'],
      [input.schema.getMutationType(), 'Mutation'],
      [input.schema.getSubscriptionType(), 'Subscription'],
    ]);
  }

  /** Whose the rows of a type are. */
  readonly ownerOf = (typeName: string): RowOwner | undefined => {
    const subject = this.#input.rules.type(typeName)?.subject;
    if (subject === undefined) return undefined;
    return { property: subject.property, exemptionIndex: this.rowExemptions.index(subject.unless) };
  };

  record(coordinate: string, rule: string | undefined, statement?: MinimizeStatement): RecordedField {
    const { to: strategy, level } = statement ?? {};
    const recorded = { index: this.fields.length, coordinate, rule, strategy, level };
    this.fields.push(recorded);
    return recorded;
  }

  plan(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): FieldPlan {
    const { schema, rules } = this.#input;
    const rootName = this.#rootNames.get(type);
    const recorded = `${rootName ?? type.name}.${field.name}`;
    const requirement = rules.requirementOf(type.name, field.name);
    const minimization = rules.field(type.name, field.name)?.minimization;
    const rule = isUnrestricted(requirement) ? undefined : ruleText(requirement);
    return {
      record: this.record(recorded, rule),
      subjectRecord: this.record(recorded, SUBJECT_RULE),
      requirement,
      requirementIndex: this.requirements.index(requirement),
      filters: this.#filtersOf(type, field, recorded),
      isRoot: rootName !== undefined,
      rowOwner: this.ownerOf(type.name),
      returnedOwner: this.ownerOf(getNamedType(field.type).name),
      ownRows: compileOwnRows(field.type, schema, this.ownerOf),
      minimization:
        minimization === undefined
          ? undefined
          : {
              index: this.#notePseudonyms(minimization, this.minimizations.push(minimization) - 1, [
                recorded,
                `${type.name}.${field.name}`,
              ]),
              entityKey: entityKeyOf(type),
              statements: minimization.statements.map((statement) => ({
                record: this.record(recorded, rule, statement),
                isStatistic: statement.to === 'AGGREGATE',
                minimizer: this.#minimizerOf(minimization.coordinate, field, statement),
              })),
            },
    };
  }

  #filtersOf(
    type: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    recorded: string,
  ): FieldFilters | undefined {
    const members = this.#inputs.argumentsOf(type.name, field);
    if (members === undefined) return undefined;
    return { members, inputs: this.#inputs, record: this.record(recorded, FILTERS_RULE) };
  }

  #minimizerOf(
    coordinate: string,
    { type }: GraphQLField<unknown, unknown>,
    statement: MinimizeStatement,
  ): Minimizer {
    const { pseudonymKey, runtime } = this.#input;
    const onUnreadable = (): void => {
      runtime.log.report('VALUE_NOT_MINIMIZED', coordinate);
    };
    return compileMinimizer({ statement, coordinate, type, pseudonymKey, onUnreadable });
  }

  /** @returns the index of the minimization */
  #notePseudonyms({ coordinate, statements }: Minimization, index: number, names: readonly string[]): number {
    const { formerPseudonymKeys: former, pseudonymKey: key } = this.#input;
    for (const [statementIndex, statement] of statements.entries()) {
      if (statement.to !== 'PSEUDONYMIZE' || key === undefined) continue;
      const { readableWith = [] } = statement;
      const pseudonyms = new Pseudonyms({ coordinate, key, former, readableWith });
      for (const name of names)
        this.pseudonyms.set(name, { pseudonyms, minimizationIndex: index, statementIndex });
    }
    return index;
  }
}
