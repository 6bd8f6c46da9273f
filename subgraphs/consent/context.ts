import type { ProtectedContext } from '@behalf/directives';

import type { ConsentRegister } from '../../authority/consent/index.js';

/** What the consent subgraph's resolvers find in their context value. */
export interface ConsentContext extends ProtectedContext {
  readonly register: ConsentRegister;
}

/** Whether somebody else's consents may be seen and ended: the role alone is not enough, nor is the scope. */
export function isAdministrator({ delegation }: ProtectedContext): boolean {
  return (
    delegation !== undefined &&
    delegation.roles.includes('administrator') &&
    delegation.scopes.has('consents:admin')
  );
}
