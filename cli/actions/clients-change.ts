import { resolve } from 'node:path';

import { readPolicy } from '@behalf/policy';
import { printSecret, whoRunsThis, withApplications } from '../authority-store.js';
import type { StoreOptions } from '../authority-store.js';
import { readRegistration } from '../read-registration.js';

export interface ClientsChangeOptions extends StoreOptions {
  readonly clientId: string;
  /** File with the whole registration as JSON. */
  readonly file: string;
  /** Path of policy.yaml, which must know the client. */
  readonly policy: string;
}

/** `behalf clients change`: replaces the whole registration of an application. @throws CommandError `FILE_UNREADABLE` */
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
  print(`${clientId}: changed.`);
  printSecret(secret, print);
}

/** `behalf clients renew-secret`: creates a new secret, printed here and never again; the old one stops working. */
export async function clientsRenewSecret(
  options: StoreOptions & { readonly clientId: string },
  print: (line: string) => void,
): Promise<void> {
  const { secret } = await withApplications(options, (applications) =>
    applications.renewSecret(options.clientId, { by: whoRunsThis() }),
  );
  print(`${options.clientId}: the old secret no longer works.`);
  printSecret(secret, print);
}
