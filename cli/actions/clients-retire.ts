import { type StoreOptions, whoRunsThis, withApplications } from '../authority-store.js';

/** `behalf clients retire`: ends an application, its consents and its tokens, for good. */
export async function clientsRetire(
  options: StoreOptions & { readonly clientId: string; readonly reason: string },
  print: (line: string) => void,
): Promise<void> {
  const { clientId, reason } = options;
  const { change, ended } = await withApplications(options, (applications) =>
    applications.retire(clientId, { by: whoRunsThis(), reason }),
  );
  print(
    `${clientId}: retired. Consents ended: ${ended.length}. Change for gateways: ${change?.seq ?? 'none'}.`,
  );
}
