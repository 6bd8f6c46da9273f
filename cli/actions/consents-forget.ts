import { type Forgetting, forgetSubject } from '@behalf/authority/consent';
import { withAuthorityDatabase } from '../authority-database.js';
import { quantity } from '../quantity.js';

/**
 * `behalf consents forget`: removes a person from the authority's database.
 *
 * @returns 0, or 1 when it has nothing of theirs
 */
export async function consentsForget(
  databaseUrl: string,
  subject: string,
  forgetting: Forgetting,
  print: (line: string) => void,
): Promise<0 | 1> {
  const { consents, outcome } = await withAuthorityDatabase(databaseUrl, (db) =>
    forgetSubject(db, subject, forgetting),
  );
  // Neither the name nor what stands for it: a terminal's history is kept as well.
  if (outcome === 'unknown') print('The authority does not know them');
  else if (outcome === 'already') print('They were forgotten within the last hour');
  else {
    print(
      `Forgotten: ${quantity(consents, 'consent says', 'consents say')} that somebody agreed, but not who`,
    );
    print('For an hour, the latest changes for gateways keep the name; a running authority then removes it');
  }
  return outcome === 'unknown' ? 1 : 0;
}
