import type { ProtectedContext } from '@behalf/directives';

import type {
  Consent,
  ConsentRegister,
  GatewayAcknowledgements,
  SuspensionRegister,
} from '@behalf/authority/consent';
import { isId } from './texts.js';

/** The context value of the consent subgraph's resolvers. */
export interface ConsentContext extends ProtectedContext {
  readonly register: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly acknowledgements: GatewayAcknowledgements;
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
