import { readFile } from 'node:fs/promises';
import { createOperationAuthorizer } from '@behalf/gateway/internal';
import { cedarSchema } from '@behalf/gateway';

/**
 * `behalf policies`: the Cedar schema of a supergraph, for editors and for tests of policies.
 *
 * @throws SupergraphError when the file holds no supergraph
 */
export async function policiesSchema(supergraphFile: string): Promise<string> {
  return cedarSchema(createOperationAuthorizer(await readFile(supergraphFile, 'utf8')).policies);
}
