import type { Application } from '../authority/internal.js';
import { printable } from '../gateway/printable.js';
import { type StoreOptions, withApplications } from './clients.js';

/** `behalf clients list`: every registered application, a line each; retired ones only when asked for. */
export async function clientsList(
  options: StoreOptions & { readonly all: boolean },
  print: (line: string) => void,
): Promise<void> {
  await withApplications(options, async (applications) => {
    let page: readonly Application[];
    let after = '';
    do {
      page = await applications.list(after);
      for (const application of page) {
        after = application.clientId;
        if (options.all || application.retiredAt === undefined) print(printable(lineOf(application)));
      }
    } while (page.length > 0);
  });
}

function lineOf({ clientId, confidential, registration, retiredAt }: Application): string {
  const kind = confidential ? 'confidential' : 'public';
  const end = retiredAt === undefined ? '' : `  retired ${retiredAt.toISOString()}`;
  return `${clientId.padEnd(20)}  ${kind.padEnd(12)}  ${registration.displayName} (${registration.owner})${end}`;
}
