import type { Application } from '@behalf/authority/clients';
import { printable } from '@behalf/gateway/printable';
import type { StoreOptions } from '../authority-store.js';
import { withApplications } from '../authority-store.js';

/** `behalf clients list`: prints a line for each registered application; retired ones only with `all`. */
export async function clientsList(
  options: StoreOptions & { readonly all: boolean },
  print: (line: string) => void,
): Promise<void> {
  await withApplications(options, async (applications) => {
    let page: readonly Application[];
    let after = '';
    let listed = 0;
    let retired = 0;
    do {
      page = await applications.list(after);
      for (const application of page) {
        after = application.clientId;
        if (application.retiredAt !== undefined) retired += 1;
        if (!options.all && application.retiredAt !== undefined) continue;
        listed += 1;
        print(printable(lineOf(application)));
      }
    } while (page.length > 0);
    if (listed > 0) return;
    print(`No application is registered${retired === 0 ? '' : '; --all lists the retired ones'}.`);
  });
}

function lineOf({ clientId, confidential, registration, retiredAt }: Application): string {
  const kind = confidential ? 'confidential' : 'public';
  const end = retiredAt === undefined ? '' : `  retired ${retiredAt.toISOString()}`;
  return `${clientId.padEnd(20)}  ${kind.padEnd(12)}  ${registration.displayName} (${registration.owner})${end}`;
}
