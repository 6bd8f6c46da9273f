import { denialError } from '@behalf/directives';
import { isUnrestricted, describeRequirement, isMet } from '@behalf/directives/internal';
import type { Delegation, Requires } from '@behalf/directives';
import type { Requirement, RuleTable } from '@behalf/directives/internal';
import { getNamedType, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import type { FieldNode, GraphQLError } from 'graphql';
import { withoutStack } from '../client-error.js';
import type { DeniedCoordinate } from '../subgraph-errors/subgraph-error.js';
import type { Executed } from './collect.js';
import type { Place } from './places.js';

/** A subgraph's denial, in the gateway's own words. */
export interface BorneOutDenial {
  readonly coordinate: string;
  readonly requires: Requires;
}

/** The supergraph's rules at a position of the response. */
export class PositionRules {
  readonly #rules: RuleTable;
  readonly #executed: Executed;
  readonly #delegation: Delegation | undefined;

  constructor(rules: RuleTable, executed: Executed, delegation: Delegation | undefined) {
    this.#rules = rules;
    this.#executed = executed;
    this.#delegation = delegation;
  }

  /**
   * A denial of what the client selected at this position; undefined if the coordinate does not belong here. All of it comes
   * from the supergraph, and nothing from the subgraph's text.
   */
  denialAt(place: Place, denied: DeniedCoordinate): BorneOutDenial | undefined {
    const { type, field: name, argument } = denied;
    if (name === undefined) return this.#typeDenialAt(place, type);
    const isHere = place.field?.occurrences.some(
      ({ node }) => node.name.value === name && this.#isSelectedOn(node, type),
    );
    const owner = this.#executed.schema.getType(type);
    const field = isObjectType(owner) || isInterfaceType(owner) ? owner.getFields()[name] : undefined;
    if (isHere !== true || field === undefined) return undefined;
    if (argument !== undefined) {
      // By the gateway's rules the argument may be used, or it would not have been sent: the subgraph denied by its own.
      const isThere = field.args.some((each) => each.name === argument);
      return isThere ? { coordinate: `${type}.${name}(${argument}:)`, requires: {} } : undefined;
    }
    return {
      coordinate: `${type}.${name}`,
      requires: this.#describe(this.#rules.requirementOf(type, name)),
    };
  }

  denialError({ coordinate, requires }: BorneOutDenial, path: readonly (string | number)[]): GraphQLError {
    return withoutStack(denialError(coordinate, requires, path));
  }

  /**
   * Whether a message about this position may reach the client. Not if the caller may not read the selection, on any type, and
   * not if the value is minimized: the message could quote it whole.
   */
  mayQuote({ field }: Place): boolean {
    if (field === undefined) return false;
    return field.occurrences.every(({ node }) => this.#isExemptFromMinimize(node));
  }

  #isExemptFromMinimize(node: FieldNode): boolean {
    const parent = this.#executed.analysis.parentOf.get(node);
    if (parent === undefined) return false;
    const answers = this.#rules.answersOf(parent.name, node.name.value);
    return (
      answers.length > 0 &&
      answers.every(
        ([type, field]) =>
          field.minimization === undefined &&
          isMet(this.#rules.requirementOf(type.name, node.name.value), this.#delegation),
      )
    );
  }

  #typeDenialAt(place: Place, type: string): BorneOutDenial | undefined {
    if (place.type === undefined) return undefined;
    const { schema } = this.#executed;
    const returned = getNamedType(place.type);
    const named = schema.getType(type);
    const isHere =
      returned.name === type ||
      (isAbstractType(returned) && isObjectType(named) && schema.isSubType(returned, named));
    const rule = this.#rules.type(type);
    if (!isHere || rule === undefined) return undefined;
    return { coordinate: type, requires: this.#describe(rule.own) };
  }

  /** Whether the selection can be answered on this type. */
  #isSelectedOn(node: FieldNode, type: string): boolean {
    const parent = this.#executed.analysis.parentOf.get(node);
    if (parent === undefined) return false;
    if (parent.name === type) return true;
    const { schema } = this.#executed;
    const named = schema.getType(type);
    if (isAbstractType(parent)) return isObjectType(named) && schema.isSubType(parent, named);
    return isInterfaceType(named) && schema.isSubType(named, parent);
  }

  /** The missing requirement; empty if nothing is missing, and the subgraph denied by its own rule. */
  #describe(requirement: Requirement): Requires {
    return isUnrestricted(requirement) || isMet(requirement, this.#delegation)
      ? {}
      : describeRequirement(requirement);
  }
}
