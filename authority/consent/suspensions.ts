import { type Selectable, sql, type Transaction } from 'kysely';

import { ACCESS_RESUMED, ACCESS_SUSPENDED, appendChange, type ChangeMembers } from '../changes/log.js';
import type { AuthorityDatabase, AuthoritySchema, SuspensionTable } from '../schema.js';
import { lockDecision } from '../locks.js';
import { transact } from './transact.js';
import type { ChangePosition, RevocationOutcome } from './types.js';

/** A client, a scope in everybody's hands, or everything that is done with a token. */
export type SuspensionTarget =
  | { readonly kind: 'client'; readonly clientId: string }
  | { readonly kind: 'scope'; readonly scope: string }
  | { readonly kind: 'everything' };

/** What is stopped until somebody lifts it, or was. */
export interface Suspension {
  readonly target: SuspensionTarget;
  readonly since: Date;
  readonly by: string;
  readonly reason: string;
  readonly endedAt: Date | undefined;
  readonly endedBy: string | undefined;
  readonly endedReason: string | undefined;
}

/** @see SuspensionRegister.suspend */
export interface SuspensionChange {
  readonly outcome: RevocationOutcome;
  /** As it stands now; undefined when there never was one to lift. */
  readonly suspension: Suspension | undefined;
  /** Where it stands in the change log; undefined when nothing changed. */
  readonly change: ChangePosition | undefined;
}

/** Who wants it, and why: both are kept. */
export interface SuspensionOptions {
  readonly by: string;
  /** Cut after 500 characters. */
  readonly reason: string;
}

type Trx = Transaction<AuthoritySchema>;
type Row = Selectable<SuspensionTable>;

const MAX_REASON_LENGTH = 500;
/** A scope that none of the newest consents holds is perhaps misspelled. To look through all would take too long. */
const CONSENTS_LOOKED_THROUGH = 10_000;

/**
 * What is stopped. It stands until it is lifted, whatever becomes of tokens meanwhile, and revokes nothing: what still lives
 * then is good again. Every change is in the change log when a method has returned.
 *
 * It does not ask who calls: that is for the caller to establish.
 */
export class SuspensionRegister {
  readonly #db: AuthorityDatabase;

  /** @param db migrated with `migrateAuthority`; stays the caller's to close */
  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Stops it; what is stopped already stays so, with the reason that it had.
   *
   * @returns `unknown` where nobody consented to it so far: it is stopped all the same, and may be misspelled
   */
  async suspend(target: SuspensionTarget, options: SuspensionOptions): Promise<SuspensionChange> {
    return transact(this.#db, async (trx) => {
      const standing = await lockStanding(trx, target);
      if (standing !== undefined) {
        return { outcome: 'already', suspension: toSuspension(standing), change: undefined };
      }
      const isKnown = await isNamed(trx, target);
      const reason = options.reason.slice(0, MAX_REASON_LENGTH);
      const { occurredAt, ...change } = await announce(trx, ACCESS_SUSPENDED, target, {
        ...options,
        reason,
      });
      const row = await trx
        .insertInto('authority.suspension')
        .values({
          ...columnsOf(target),
          since: occurredAt,
          suspended_by: options.by,
          reason,
          announced_at: occurredAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return { outcome: isKnown ? 'done' : 'unknown', suspension: toSuspension(row), change };
    });
  }

  /** Lifts it. Of what is not stopped nothing changes. */
  async resume(target: SuspensionTarget, options: SuspensionOptions): Promise<SuspensionChange> {
    return transact(this.#db, async (trx) => {
      const standing = await lockStanding(trx, target);
      if (standing === undefined) {
        const last = await latest(trx, target);
        return last === undefined
          ? { outcome: 'unknown', suspension: undefined, change: undefined }
          : { outcome: 'already', suspension: toSuspension(last), change: undefined };
      }
      const reason = options.reason.slice(0, MAX_REASON_LENGTH);
      const { occurredAt, ...change } = await announce(trx, ACCESS_RESUMED, target, { ...options, reason });
      const row = await trx
        .updateTable('authority.suspension')
        .set({ ended_at: occurredAt, ended_by: options.by, ended_reason: reason })
        .where('id', '=', standing.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return { outcome: 'done', suspension: toSuspension(row), change };
    });
  }

  /** All that stand, the longest first. */
  async standing(): Promise<readonly Suspension[]> {
    const rows = await this.#db
      .selectFrom('authority.suspension')
      .selectAll()
      .where('ended_at', 'is', null)
      .orderBy('id')
      .execute();
    return rows.map(toSuspension);
  }
}

/**
 * Says of every suspension that stands, and was announced before, that it does: what begins to follow the change log then
 * finds it within the history that it begins with, whatever its age.
 */
export async function announceStanding(db: AuthorityDatabase, announcedBefore: Date): Promise<void> {
  await transact(db, async (trx) => {
    const rows = await trx
      .selectFrom('authority.suspension')
      .selectAll()
      .where('ended_at', 'is', null)
      .where('announced_at', '<', announcedBefore)
      .orderBy('id')
      .forUpdate()
      .execute();
    for (const row of rows) {
      const { reason, suspended_by: by } = row;
      const { occurredAt } = await announce(trx, ACCESS_SUSPENDED, targetOf(row), { by, reason });
      await trx
        .updateTable('authority.suspension')
        .set({ announced_at: occurredAt })
        .where('id', '=', row.id)
        .execute();
    }
  });
}

/** Two calls about the same come one after the other, also where there is no row yet that could be locked. */
async function lockStanding(trx: Trx, target: SuspensionTarget): Promise<Row | undefined> {
  const { kind, target: name } = columnsOf(target);
  await lockDecision(trx, 'suspension', kind, name);
  return trx
    .selectFrom('authority.suspension')
    .selectAll()
    .where('kind', '=', kind)
    .where('target', '=', name)
    .where('ended_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

async function latest(trx: Trx, target: SuspensionTarget): Promise<Row | undefined> {
  const { kind, target: name } = columnsOf(target);
  return trx
    .selectFrom('authority.suspension')
    .selectAll()
    .where('kind', '=', kind)
    .where('target', '=', name)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function announce(
  trx: Trx,
  kind: typeof ACCESS_SUSPENDED | typeof ACCESS_RESUMED,
  target: SuspensionTarget,
  { by, reason }: SuspensionOptions,
) {
  return appendChange(trx, { kind, members: membersOf(target), initiator: 'admin', by, reason });
}

async function isNamed(trx: Trx, target: SuspensionTarget): Promise<boolean> {
  if (target.kind === 'everything') return true;
  const consents = trx.selectFrom('authority.consent');
  const query =
    target.kind === 'client'
      ? consents.select('id').where('client_id', '=', target.clientId).limit(1)
      : trx
          .selectFrom(
            consents
              .select(['id', 'scopes'])
              .orderBy('granted_at', 'desc')
              .orderBy('id', 'desc')
              .limit(CONSENTS_LOOKED_THROUGH)
              .as('newest'),
          )
          .select('id')
          .where(sql<boolean>`${target.scope} = any(scopes)`)
          .limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}

function membersOf(target: SuspensionTarget): ChangeMembers {
  switch (target.kind) {
    case 'client':
      return { clientId: target.clientId };
    case 'scope':
      return { scope: target.scope };
    case 'everything':
      return { everything: true };
  }
}

function columnsOf(target: SuspensionTarget): Pick<Row, 'kind' | 'target'> {
  switch (target.kind) {
    case 'client':
      return { kind: target.kind, target: target.clientId };
    case 'scope':
      return { kind: target.kind, target: target.scope };
    case 'everything':
      return { kind: target.kind, target: '' };
  }
}

function targetOf({ kind, target }: Row): SuspensionTarget {
  switch (kind) {
    case 'client':
      return { kind, clientId: target };
    case 'scope':
      return { kind, scope: target };
    case 'everything':
      return { kind };
  }
}

function toSuspension(row: Row): Suspension {
  return {
    target: targetOf(row),
    since: row.since,
    by: row.suspended_by,
    reason: row.reason,
    endedAt: row.ended_at ?? undefined,
    endedBy: row.ended_by ?? undefined,
    endedReason: row.ended_reason ?? undefined,
  };
}
