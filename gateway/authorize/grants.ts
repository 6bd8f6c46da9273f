import { Interned, isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement, RuleTable } from '@behalf/directives/internal';
import { isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { SchemaGrants } from './types.js';

interface Coordinates {
  readonly requirements: readonly Requirement[];
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Decides a whole schema: each distinct requirement once for a delegation. */
export function schemaGrants(
  schema: GraphQLSchema,
  rules: RuleTable,
): (delegation: Delegation | undefined) => SchemaGrants {
  // Only those who answer introspection by the caller need it.
  let coordinates: Coordinates | undefined;
  return (delegation) => {
    coordinates ??= readCoordinates(schema, rules);
    const { requirements, indexOf } = coordinates;
    const met = requirements.map((requirement) => isMet(requirement, delegation));
    return {
      key: met.map((isPermitted) => (isPermitted ? '1' : '0')).join(''),
      isGranted(typeName, fieldName) {
        const index = indexOf.get(`${typeName}.${fieldName}`);
        return index !== undefined && met[index] === true;
      },
    };
  };
}

function readCoordinates(schema: GraphQLSchema, rules: RuleTable): Coordinates {
  const requirements = new Interned<Requirement>();
  const indexOf = new Map<string, number>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.keys(type.getFields())) {
      indexOf.set(`${type.name}.${field}`, requirements.index(rules.requirementOf(type.name, field)));
    }
  }
  return { requirements: requirements.values, indexOf };
}
