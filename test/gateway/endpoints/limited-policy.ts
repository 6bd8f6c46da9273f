import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../support.js';

/** @returns the file of a policy that permits each client one request an hour */
export async function limitedPolicy(
  cleanup: Cleanup,
  clientId = 'budget-app',
  more: Readonly<Record<string, object>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-limited-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'policy.yaml');
  const scope = { sentence: 'See it', access: 'read', sensitivity: 'low' };
  const content = {
    scopes: { name: scope, email: scope, 'people:write': scope },
    purposes: { credit: { sentence: 'To lend' } },
    clients: { [clientId]: { scopes: ['name'], rateClass: 'slow' } },
    rateClasses: { slow: { requests: 1, per: 'PT1H' } },
    ...more,
  };
  await writeFile(file, JSON.stringify(content));
  return file;
}
