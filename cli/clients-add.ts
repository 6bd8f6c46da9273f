import { resolve } from 'node:path';

import { readPolicy } from '../policy/index.js';
import { type StoreOptions, whoRunsThis, withApplications } from './clients.js';

export interface ClientsAddOptions extends StoreOptions {
  readonly clientId: string;
  readonly name: string;
  readonly owner: string;
  /** A `mailto:` or `https:` address, or a bare e-mail address. */
  readonly contact: string;
  readonly homePage?: string | undefined;
  readonly redirectUris: readonly string[];
  readonly confidential: boolean;
  /** policy.yaml, which must know the client. */
  readonly policy: string;
}

/** `behalf clients add`: registers an application. A secret is printed here and never again. */
export async function clientsAdd(options: ClientsAddOptions, print: (line: string) => void): Promise<void> {
  const { clientId, confidential, contact, homePage, name, owner, redirectUris } = options;
  const registration = {
    displayName: name,
    owner,
    contact: /^[^\s:/@]+@[^\s@]+$/.test(contact) ? `mailto:${contact}` : contact,
    ...(homePage === undefined ? {} : { homePage }),
    redirectUris,
  };
  const policy = await readPolicy(resolve(options.policy));
  const { secret } = await withApplications(options, (applications) =>
    applications.register(clientId, registration, { by: whoRunsThis(), confidential, policy }),
  );
  print(`${clientId}: registered. What it may ask for stands in the policy, under clients.`);
  if (secret === undefined) return;
  print(`secret: ${secret}`);
  print('Keep it now: only its digest is stored.');
}
