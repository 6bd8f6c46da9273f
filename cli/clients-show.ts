import { ApplicationError } from '../authority/internal.js';
import { describeApplication, type StoreOptions, withApplications } from './clients.js';

/** `behalf clients show`: what is registered of one application. @throws ApplicationError `client_unknown` */
export async function clientsShow(
  options: StoreOptions & { readonly clientId: string },
  print: (line: string) => void,
): Promise<void> {
  const application = await withApplications(options, (applications) => applications.find(options.clientId));
  if (application === undefined) {
    throw new ApplicationError('client_unknown', `no application "${options.clientId}" is registered`);
  }
  print(describeApplication(application));
}
