import { createOperationAuthorizer } from '@behalf/gateway/internal';
import { cedarSchema } from '@behalf/gateway';
import { readText } from '../read-text.js';

/**
 * `behalf policies`: the Cedar schema of a supergraph, for editors and for tests of policies.
 *
 * @throws CommandError `FILE_UNREADABLE`
 * @throws SupergraphError when the file holds no supergraph
 */
export async function policiesSchema(supergraphFile: string): Promise<string> {
  return cedarSchema(createOperationAuthorizer(await readText(supergraphFile)).policies);
}
