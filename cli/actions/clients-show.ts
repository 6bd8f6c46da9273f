import { ApplicationError } from '@behalf/authority/clients';
import { describeApplication, withApplications } from '../authority-store.js';
import type { StoreOptions } from '../authority-store.js';

/** `behalf clients show`: prints the registration of one application. @throws ApplicationError `CLIENT_UNKNOWN` */
export async function clientsShow(
  options: StoreOptions & { readonly clientId: string },
  print: (line: string) => void,
): Promise<void> {
  const application = await withApplications(options, (applications) => applications.find(options.clientId));
  if (application === undefined) {
    throw new ApplicationError('CLIENT_UNKNOWN', `no application "${options.clientId}" is registered`);
  }
  print(describeApplication(application));
}
