import { type Selectable, sql, type Transaction } from 'kysely';

import { causeOf, recordEvents } from '../audit/record-events.js';
import type { ChangeRequest } from '../change-request.js';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, appendChange } from '../changes/log.js';
import type { ChangeMembers } from '../change-members.js';
import type { AuthorityDatabase, AuthoritySchema, SuspensionTable } from '../schema.js';
import { lockDecision } from '../locks.js';
import { transact } from '../transact.js';
import type { ChangePosition, RevocationOutcome } from './types.js';

/** A client, a scope for everybody, or all access with tokens. */
export type SuspensionTarget =
  | { readonly kind: 'client'; readonly clientId: string }
  | { readonly kind: 'scope'; readonly scope: string }
  | { readonly kind: 'everything' };

/** A suspension, in force or lifted. */
export interface Suspension {
  readonly target: SuspensionTarget;
  readonly since: Date;
  readonly by: string;
  readonly reason: string;
  readonly endedAt: Date | undefined;
  readonly endedBy: string | undefined;
  readonly endedReason: string | undefined;
}

/** The result of {@link SuspensionRegister.suspend} or {@link SuspensionRegister.resume}. */
export interface SuspensionChange {
  readonly outcome: RevocationOutcome;
  /** The suspension now; undefined if there never was one to lift. */
  readonly suspension: Suspension | undefined;
  /** Its position in the change log; undefined if nothing changed. */
  readonly change: ChangePosition | undefined;
}

/** The party that requests it, and its reason. Both are recorded. */
export interface SuspensionOptions {
  /** The audit log gets this name as it is, unless there is a `request`. It must not be a subject's then. */
  readonly by: string;
  /** Cut after 500 characters. */
  readonly reason: string;
  /** The request that asks for it, whose caller the audit log names instead. Default: none. */
  readonly request?: ChangeRequest | undefined;
}

type Trx = Transaction<AuthoritySchema>;
type Row = Selectable<SuspensionTable>;

const MAX_REASON_LENGTH = 500;
/** A scope that none of the newest consents contains may be misspelled. Searching all consents would take too long. */
const CONSENTS_LOOKED_THROUGH = 10_000;

/**
 * Suspensions. A suspension is in force until it is lifted and revokes nothing: tokens that are still alive then work again. When
 * a method returns, its change is in the change log.
 *
 * It does not authorize: the caller must have done so. Every change can throw an AuthorityError `store_busy`, see
 * {@link isStoreBusy}.
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, SuspensionRegister } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * const suspensions = new SuspensionRegister(db);
 * const client = { kind: 'client', clientId: 'budget-app' } as const;
 * await suspensions.suspend(client, { by: 'support', reason: 'reads far too much' });
 * // When it has been explained:
 * await suspensions.resume(client, { by: 'support', reason: 'explained and fixed' });
 * await db.destroy();
 * ```
 */
export class SuspensionRegister {
  readonly #db: AuthorityDatabase;

  /** @param db migrated with `migrateAuthority`; the caller closes it */
  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Suspends the target. An existing suspension stays, with its original reason.
   *
   * @returns `unknown` if nobody has consented to it so far: it is suspended all the same, but may be misspelled
   */
  async suspend(target: SuspensionTarget, options: SuspensionOptions): Promise<SuspensionChange> {
    return transact(this.#db, async (trx) => {
      const standing = await lockStanding(trx, target);
      if (standing !== undefined) {
        return { outcome: 'already', suspension: toSuspension(standing), change: undefined };
      }
      const isKnown = await isNamed(trx, target);
      const reason = options.reason.slice(0, MAX_REASON_LENGTH);
      const stated = { ...options, reason };
      await record(trx, 'access-suspended', target, stated);
      const { occurredAt, ...change } = await announce(trx, ACCESS_SUSPENDED, target, stated);
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

  /** Lifts a suspension. Without one, nothing changes. */
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
      const stated = { ...options, reason };
      await record(trx, 'access-resumed', target, stated);
      const { occurredAt, ...change } = await announce(trx, ACCESS_RESUMED, target, stated);
      const row = await trx
        .updateTable('authority.suspension')
        .set({ ended_at: occurredAt, ended_by: options.by, ended_reason: reason })
        .where('id', '=', standing.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return { outcome: 'done', suspension: toSuspension(row), change };
    });
  }

  /** All suspensions in force, oldest first. */
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
 * Announces every suspension in force again, so that a new stream finds it within its history, whatever its age.
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

/** Serializes calls about the same target, even if there is no row yet to lock. */
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

async function record(
  trx: Trx,
  event: 'access-suspended' | 'access-resumed',
  target: SuspensionTarget,
  { by, reason, request }: SuspensionOptions,
): Promise<void> {
  const cause = causeOf({ by, initiator: 'admin', request });
  await recordEvents(trx, [{ event, cause, reason, details: target }]);
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
