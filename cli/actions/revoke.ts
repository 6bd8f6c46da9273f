import type { Kysely } from 'kysely';
import { ConsentRegister } from '@behalf/authority/consent';
import type { AuthoritySchema, Revocation, RevocationOptions } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { operator, printInForce, withAuthorityDatabase } from '../authority-database.js';

export type Revocable = 'consent' | 'token' | 'client' | 'subject' | 'session';

export interface RevokeOptions {
  readonly databaseUrl: string;
  readonly kind: Revocable;
  readonly id: string;
  readonly reason: string;
  readonly wait: boolean;
}

type Outcome = Omit<Revocation, 'ended'> & Partial<Pick<Revocation, 'ended'>>;

/**
 * `behalf revoke`: works on the authority's database, so also while gateway and authority are down. It writes what the
 * mutations write, and the authority tells every gateway as soon as it runs.
 *
 * @returns 0 when it has ended; 1 when the identifier is unknown, or not every gateway enforces it yet
 */
export async function revoke(options: RevokeOptions, print: (line: string) => void): Promise<0 | 1> {
  const { databaseUrl, id, kind, reason, wait } = options;
  return withAuthorityDatabase(databaseUrl, async (db) => {
    const {
      change,
      ended = [],
      outcome,
    } = await revokeByKind(db, kind, id, {
      by: operator(),
      initiator: 'admin',
      reason,
    });
    print(printable(`${kind} ${id}: ${sentenceOf(outcome, change !== undefined)}`));
    for (const consent of ended) {
      print(printable(`  ended consent ${consent.id} of ${consent.subject} for ${consent.clientId}`));
    }
    const isNothing = outcome === 'unknown' && change === undefined;
    const everywhere = !wait || isNothing || (await printInForce(db, databaseUrl, change, print));
    return outcome !== 'unknown' && everywhere ? 0 : 1;
  });
}

async function revokeByKind(
  db: Kysely<AuthoritySchema>,
  kind: Revocable,
  id: string,
  options: RevocationOptions,
): Promise<Outcome> {
  const register = new ConsentRegister(db);
  switch (kind) {
    case 'consent':
      return register.revokeConsent(id, options);
    case 'token':
      return register.revokeToken(id, options);
    case 'client':
      return register.revokeClient(id, options);
    case 'subject':
      return register.revokeSubjectSessions(id, options);
    case 'session':
      return register.revokeSession(id, options);
  }
}

function sentenceOf(outcome: Outcome['outcome'], isAnnounced: boolean): string {
  if (outcome === 'done') return 'ended';
  if (outcome === 'already') return 'had ended before';
  return isAnnounced
    ? 'UNKNOWN here, but announced to the gateways: check the spelling'
    : 'UNKNOWN: nothing was ended';
}
