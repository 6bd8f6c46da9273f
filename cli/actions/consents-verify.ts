import { verifyConsents } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { withAuthorityDatabase } from '../authority-database.js';
import { quantity } from '../quantity.js';

/** `behalf consents verify`: compares every consent with a replay of its log. @returns 0 when all agree, else 1 */
export async function consentsVerify(databaseUrl: string, print: (line: string) => void): Promise<0 | 1> {
  const { checked, differences } = await withAuthorityDatabase(databaseUrl, (db) => verifyConsents(db));
  for (const { consentId, problem } of differences) print(printable(`${consentId}: ${problem}`));
  const compared = quantity(checked, 'consent compared with its log', 'consents compared with their log');
  print(`${compared}, ${quantity(differences.length, 'differs', 'differ')}`);
  return differences.length === 0 ? 0 : 1;
}
