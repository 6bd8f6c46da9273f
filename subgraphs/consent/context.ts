import type { ProtectedContext } from '@behalf/directives';

import type {
  Consent,
  ConsentRegister,
  GatewayAcknowledgements,
  SuspensionRegister,
} from '../../authority/internal.js';
import { isId } from '../texts.js';

/** What the consent subgraph's resolvers find in their context value. */
export interface ConsentContext extends ProtectedContext {
  readonly register: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly acknowledgements: GatewayAcknowledgements;
}

/** A consent, whoever's it is; none for what cannot be an identifier. */
export async function findConsent(id: unknown, { register }: ConsentContext): Promise<Consent | undefined> {
  return isId(id) ? register.find(id) : undefined;
}

/** Whether somebody else's consents may be seen and ended: the role alone is not enough, nor is the scope. */
export function isAdministrator({ delegation }: ProtectedContext): boolean {
  return (
    delegation !== undefined &&
    delegation.roles.includes('administrator') &&
    delegation.scopes.has('consents:admin')
  );
}
