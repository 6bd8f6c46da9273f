import type { Delegation, ProtectedContext } from '@behalf/directives';
import { traceIdOf } from '@behalf/directives/internal';
import type { Kysely } from 'kysely';

import type {
  ChangeCaller,
  ChangeRequest,
  Consent,
  ConsentRegister,
  GatewayAcknowledgements,
  SuspensionRegister,
} from '@behalf/authority/consent';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { isId } from './texts.js';

/** The context value of the consent subgraph's resolvers. */
export interface ConsentContext extends ProtectedContext {
  readonly register: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly acknowledgements: GatewayAcknowledgements;
  /** Under a role that may only read it. Undefined: the subgraph was given none. */
  readonly audit: Kysely<AuditDatabase> | undefined;
}

/** The request of the gateway, for the audit log: the event of a change names the same transaction and caller. */
export function requestOf(context: ProtectedContext): ChangeRequest {
  const { delegation, transactionId } = context;
  return {
    transactionId,
    traceId: traceIdOf(context),
    caller: delegation === undefined ? {} : callerOf(delegation),
  };
}

function callerOf({ actor, clientId, consent, service, subject }: Delegation): ChangeCaller {
  return {
    subject: service === true ? undefined : subject,
    service,
    clientId,
    actor: actor?.sub,
    consentId: consent?.id,
    consentVersion: consent?.version,
    purposes: consent?.purposes,
  };
}

/** Finds a consent of any subject; undefined for anything that cannot be an identifier. */
export async function findConsent(id: unknown, { register }: ConsentContext): Promise<Consent | undefined> {
  return isId(id) ? register.find(id) : undefined;
}

/** Whether the caller may see and end other people's consents: it takes both the role and the scope. */
export function isAdministrator({ delegation }: ProtectedContext): boolean {
  return (
    delegation !== undefined &&
    delegation.roles.includes('administrator') &&
    delegation.scopes.has('consents:admin')
  );
}

/** Whether the caller may search the audit log: it takes both one of the roles and the scope. */
export function isAuditor({ delegation }: ProtectedContext): boolean {
  return (
    delegation !== undefined &&
    delegation.scopes.has('audit:search') &&
    delegation.roles.some((role) => role === 'administrator' || role === 'auditor')
  );
}
