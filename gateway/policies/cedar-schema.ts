/** Types of the entities and actions in a policy file. */
export const CLIENT_TYPE = 'Behalf::Client';
export const SUBJECT_TYPE = 'Behalf::Subject';
export const ACTION_TYPE = 'Behalf::Action';

/**
 * The Cedar schema of a supergraph: one action per policy in its rules. The principal is the requesting application, the
 * resource the person whose data it is; the context is the delegation from the token.
 *
 * Source: Cedar schema grammar, https://docs.cedarpolicy.com/schema/human-readable-schema.html
 *
 * @param policies The names in the supergraph's `@policy` rules.
 *
 * @example
 * ```ts
 * import { cedarSchema } from '@behalf/gateway';
 * import { writeFileSync } from 'node:fs';
 *
 * writeFileSync('policies.cedarschema', cedarSchema(new Set(['business-hours'])));
 * ```
 */
export function cedarSchema(policies: ReadonlySet<string>): string {
  const actions = [...policies].sort().map((policy) => JSON.stringify(policy));
  return `namespace Behalf {
  // The application (client_id).
  entity Client;
  // The person whose data it is (sub).
  entity Subject;

  type Delegation = {
    // What the delegation holds.
    scopes: Set<String>,
    // Policies that the token brought.
    policies: Set<String>,
    roles: Set<String>,
    // Who acts, when it is not the client itself: the current actor and those before it.
    actors: Set<String>,
    operationName?: String,
    // Seconds since the epoch.
    now: Long,
    // Absent when the issuer keeps no consent.
    consent?: {
      id: String,
      version: Long,
      purposes: Set<String>,
      detail: String,
      // Seconds since the epoch.
      until?: Long,
    },
  };
${actions.length === 0 ? '' : `\n  action ${actions.join(', ')}\n    appliesTo { principal: [Client], resource: [Subject], context: Delegation };\n`}}
`;
}
