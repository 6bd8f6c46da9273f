import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';
import { recordEvents } from './record-events.js';

/** After this time without an authority that relays events, others conclude that none will come. Far longer than a restart. */
const UNRELAYED_SECONDS = 10 * 60;

/**
 * Says that an authority relays events, so that every program that changes something records it. To be repeated while it does,
 * see {@link endUnrelayedRecording}.
 */
export async function beginRecording(db: AuthorityDatabase): Promise<void> {
  await transact(db, async (trx) => {
    const { is_on: wasOn } = await trx
      .selectFrom('authority.audit_recording')
      .select('is_on')
      .forUpdate()
      .executeTakeFirstOrThrow();
    await trx
      .updateTable('authority.audit_recording')
      .set({ is_on: true, relayed_at: sql<Date>`clock_timestamp()` })
      .execute();
    if (!wasOn) await recordEvents(trx, [{ event: 'event-recording-begun' }]);
  });
}

/**
 * Ends the recording of events if nobody has relayed any for a while: the option was removed from every authority, and events
 * would pile up. Those that wait stay, with one that says so, until an authority relays them.
 *
 * @returns whether it was ended
 */
export async function endUnrelayedRecording(db: AuthorityDatabase): Promise<boolean> {
  return transact(db, async (trx) => {
    const row = await trx
      .selectFrom('authority.audit_recording')
      .select('is_on')
      .where('is_on', '=', true)
      .where(
        'relayed_at',
        '<',
        sql<Date>`clock_timestamp() - make_interval(secs => ${sql.lit(UNRELAYED_SECONDS)})`,
      )
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return false;
    await recordEvents(trx, [{ event: 'event-recording-ended' }]);
    await trx.updateTable('authority.audit_recording').set({ is_on: false }).execute();
    return true;
  });
}

/** Records how many events could not be kept, unless the log knows already. @returns how many */
export async function recordLostEvents(db: AuthorityDatabase): Promise<number> {
  return transact(db, async (trx) => {
    const { rows } = await sql<{ lost: number; told: number }>`
      select (select last_value from authority.audit_events_lost) as lost, lost_told as told
      from authority.audit_recording for update`.execute(trx);
    const { lost = 0, told = 0 } = rows[0] ?? {};
    if (lost <= told) return 0;
    await trx.updateTable('authority.audit_recording').set({ lost_told: lost }).execute();
    await recordEvents(trx, [{ event: 'events-lost', details: { count: lost - told } }]);
    return lost - told;
  });
}
