import { randomUUID } from 'node:crypto';
import type { ActorClaim, Delegation } from '@behalf/directives';
import type * as cedarModule from '@cedar-policy/cedar-wasm/nodejs';
import type {
  ActionConstraint,
  CedarValueJson,
  Context,
  DetailedError,
  EntityUidJson,
} from '@cedar-policy/cedar-wasm/nodejs';
import { must, pathInsteadOf, text as isText, withoutUndefined } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';
import { ACTION_TYPE, cedarSchema, CLIENT_TYPE, SUBJECT_TYPE } from './cedar-schema.js';
import type { PolicyEvaluator, PolicyFunction, PolicyRequest } from './evaluator.js';

type Cedar = typeof cedarModule;

/** The option for which the evaluators are. */
const OPTION = 'policies.evaluators';

/**
 * Policies in a Cedar file. It answers all policies that its `permit`s name in their action, whatever a token brings. The file
 * is validated (strict mode) against the schema generated from the supergraph's policies.
 *
 * @param text of the file
 * @param path key of the configuration, or name of the file, for messages. Default: `policies.evaluators`
 * @throws {ConfigurationError} if it is not the text of a Cedar file; `prepare` throws it if the file does not fit the supergraph
 *
 * @example
 * ```ts
 * import { cedarEvaluator, type ProtectionOptions } from '@behalf/gateway';
 * import { readFileSync } from 'node:fs';
 *
 * const cedar = await cedarEvaluator(readFileSync('policies.cedar', 'utf8'));
 * export const policies: ProtectionOptions['policies'] = { evaluators: [cedar] };
 * ```
 */
export async function cedarEvaluator(text: string, path: string = OPTION): Promise<PolicyEvaluator> {
  checkArguments(text, path);
  // Four megabytes, loaded only if used.
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const answered = permittedActions(cedar, text, path);
  const policySetId = randomUUID();
  const parsed = cedar.preparsePolicySet(policySetId, { staticPolicies: text });
  if (parsed.type === 'failure') throw new ConfigurationError(path, messageOf(parsed.errors));

  const ask = (policy: string): PolicyFunction => {
    return (delegation, request) => {
      const answer = cedar.statefulIsAuthorized({
        principal: { type: CLIENT_TYPE, id: delegation.clientId },
        action: { type: ACTION_TYPE, id: policy },
        resource: { type: SUBJECT_TYPE, id: delegation.subject },
        context: contextOf(delegation, request),
        preparsedPolicySetId: policySetId,
        entities: [],
      });
      // Cedar skips a policy whose evaluation fails: a skipped `forbid` would then permit.
      if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0) {
        throw new Error('a Cedar policy could not be evaluated');
      }
      return answer.response.decision === 'allow';
    };
  };
  const functions = new Map([...answered].map((policy) => [policy, ask(policy)]));

  return {
    name: 'cedar',
    prepare(policies) {
      for (const policy of answered) {
        // Validation would report this as well, less clearly.
        if (!policies.has(policy)) {
          throw new ConfigurationError(path, `no rule of the supergraph asks for the policy "${policy}"`);
        }
      }
      const result = cedar.validate({
        validationSettings: { mode: 'strict' },
        schema: cedarSchema(policies),
        policies: { staticPolicies: text },
      });
      const errors =
        result.type === 'failure' ? result.errors : result.validationErrors.map(({ error }) => error);
      if (errors.length > 0) throw new ConfigurationError(path, messageOf(errors));
      return functions;
    },
  };
}

/** @throws {ConfigurationError} */
function checkArguments(text: unknown, path: unknown): void {
  const unnamed = isText(path);
  if (unnamed !== undefined) throw new ConfigurationError('path', unnamed);
  const words = 'the text of a Cedar file';
  const problem = typeof text === 'string' ? pathInsteadOf(words, text) : must(words, text);
  if (problem !== undefined) throw new ConfigurationError(String(path), problem);
}

/** The policies that the file answers: those that a `permit` names. */
function permittedActions(cedar: Cedar, text: string, path: string): ReadonlySet<string> {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') throw new ConfigurationError(path, messageOf(parts.errors));
  if (parts.policy_templates.length > 0) {
    throw new ConfigurationError(path, 'has a policy template, which nothing here would link');
  }
  const actions = new Set<string>();
  for (const part of parts.policies) {
    const policy = cedar.policyToJson(part);
    if (policy.type === 'failure') throw new ConfigurationError(path, messageOf(policy.errors));
    if (policy.json.effect !== 'permit') continue;
    const named = namedActions(policy.json.action);
    if (named.length === 0) {
      // It would also answer policies that are added later.
      throw new ConfigurationError(path, 'a permit must name its policy: action == Behalf::Action::"…"');
    }
    for (const action of named) actions.add(action);
  }
  if (actions.size === 0) throw new ConfigurationError(path, 'permits nothing');
  return actions;
}

function namedActions(constraint: ActionConstraint): readonly string[] {
  if (constraint.op === 'All' || 'slot' in constraint) return [];
  const entities = 'entities' in constraint ? constraint.entities : [constraint.entity];
  return entities.map(idOf);
}

function idOf(entity: EntityUidJson): string {
  return '__entity' in entity ? entity.__entity.id : entity.id;
}

/** The delegation as the schema's `Delegation`. */
function contextOf(delegation: Delegation, { operationName, nowMs }: PolicyRequest): Context {
  const { consent } = delegation;
  const list = (names: Iterable<string>): CedarValueJson[] => [...names];
  return withoutUndefined({
    scopes: list(delegation.scopes),
    policies: list(delegation.policies),
    roles: list(delegation.roles),
    actors: actorsOf(delegation.actor),
    operationName,
    now: Math.floor(nowMs / 1000),
    consent:
      consent === undefined
        ? undefined
        : withoutUndefined({
            id: consent.id,
            version: consent.version,
            purposes: list(consent.purposes),
            detail: consent.detail,
            until: consent.until,
          }),
  });
}

function actorsOf(actor: ActorClaim | undefined): CedarValueJson[] {
  const actors: string[] = [];
  for (let here = actor; here !== undefined; here = here.act) actors.push(here.sub);
  return actors;
}

/** The file is the administrator's own, so its text may be shown. */
function messageOf(errors: readonly DetailedError[]): string {
  return errors.map(({ message, help }) => (help === null ? message : `${message} (${help})`)).join('; ');
}
