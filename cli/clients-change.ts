import { resolve } from 'node:path';

import { readPolicy } from '@behalf/policy';
import { printSecret, type StoreOptions, whoRunsThis, withApplications } from './clients.js';
import { readRegistration } from './read-registration.js';

export interface ClientsChangeOptions extends StoreOptions {
  readonly clientId: string;
  /** The whole registration as JSON. */
  readonly file: string;
  /** policy.yaml, which must know the client. */
  readonly policy: string;
}

/** `behalf clients change`: gives an application another registration, as a whole. @throws CommandError `FILE_UNREADABLE` */
export async function clientsChange(
  options: ClientsChangeOptions,
  print: (line: string) => void,
): Promise<void> {
  const { clientId, file } = options;
  const registration = await readRegistration(file);
  const policy = await readPolicy(resolve(options.policy));
  const { secret } = await withApplications(options, (applications) =>
    applications.change(clientId, registration, { by: whoRunsThis(), policy }),
  );
  print(`${clientId}: changed, from now on.`);
  printSecret(secret, print);
}

/** `behalf clients renew-secret`: another secret, printed here and never again; the old one is good for nothing. */
export async function clientsRenewSecret(
  options: StoreOptions & { readonly clientId: string },
  print: (line: string) => void,
): Promise<void> {
  const { secret } = await withApplications(options, (applications) =>
    applications.renewSecret(options.clientId, { by: whoRunsThis() }),
  );
  print(`${options.clientId}: the old secret is good for nothing any more.`);
  printSecret(secret, print);
}
