import { resolve } from 'node:path';

import { readPolicy } from '@behalf/policy';
import { withoutUndefined } from '@behalf/directives/internal';
import { printSecret, whoRunsThis, withApplications } from '../authority-store.js';
import type { StoreOptions } from '../authority-store.js';
import { CommandError } from '../command-error.js';
import { readRegistration } from '../read-registration.js';

/** A registration from options, for an application that uses only the authorization code flow. */
export interface RegistrationFlags {
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
  /** A `mailto:` or `https:` address, or a bare e-mail address. */
  readonly contact?: string | undefined;
  readonly homePage?: string | undefined;
  readonly redirectUris?: readonly string[] | undefined;
  readonly origins?: readonly string[] | undefined;
}

export interface ClientsAddOptions extends StoreOptions, RegistrationFlags {
  readonly clientId: string;
  /** File with the whole registration as JSON, instead of the options. */
  readonly file?: string | undefined;
  readonly confidential: boolean;
  /** Path of policy.yaml, which must know the client. */
  readonly policy: string;
}

/**
 * `behalf clients add`: registers an application. Its secret is printed here and never again.
 *
 * @throws CommandError `USAGE`, `FILE_UNREADABLE`
 * @throws ApplicationError when the registration cannot be accepted
 */
export async function clientsAdd(options: ClientsAddOptions, print: (line: string) => void): Promise<void> {
  const { clientId, confidential, file } = options;
  const registration = file === undefined ? fromFlags(options) : await readRegistration(file);
  const policy = await readPolicy(resolve(options.policy));
  const { secret, isKnown } = await withApplications(options, async (applications) => {
    const issued = await applications.register(clientId, registration, {
      by: whoRunsThis(),
      confidential,
      policy,
    });
    return { ...issued, isKnown: await applications.isKnownToRunningPolicy(clientId) };
  });
  print(`${clientId}: registered. The policy says what it may request, under clients.`);
  if (isKnown === false) {
    print(`Warning: the policy of the running authority does not know ${clientId}, so it gets nothing yet.`);
  }
  printSecret(secret, print);
}

function fromFlags({ contact, homePage, name, origins, owner, redirectUris }: RegistrationFlags): unknown {
  if (name === undefined || owner === undefined || contact === undefined || redirectUris === undefined) {
    const needed = '--name, --owner, --contact and --redirect-uri';
    throw new CommandError('USAGE', `give ${needed}, or a --file with the whole registration`);
  }
  return withoutUndefined({
    displayName: name,
    owner,
    contact: /^[^\s:/@]+@[^\s@]+$/.test(contact) ? `mailto:${contact}` : contact,
    homePage,
    redirectUris,
    origins,
  });
}
