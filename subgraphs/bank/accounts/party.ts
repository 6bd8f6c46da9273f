import { type ColumnMapping, defineLoader, requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';

import { columnList, type KeyWithColumns, textOfKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { badUserInput } from '../shared/errors.js';
import { groupBy } from '../shared/group-by.js';
import { COUNTERPARTY_FORMAT, type CounterpartyColumns, counterpartyColumns, KIND } from './counterparty.js';

/** A counterparty, with the columns that the operation needs. */
export interface PartyRow extends CounterpartyColumns {
  readonly [property: string]: unknown;
}

interface PartiesKey extends KeyWithColumns {
  readonly accountId: string;
  readonly first: number;
}

const DEFAULT_PARTIES = 5;
const MOST_PARTIES = 20;

const PARTY: ColumnMapping = { type: 'Party', always: [KIND], columns: counterpartyColumns('') };

const partiesOfAccounts = defineLoader<BankContext, PartiesKey, readonly PartyRow[], string>(
  async (keys, { db }) => {
    const most = Math.max(...keys.map(({ first }) => first));
    const { rows } = await sql<PartyRow & { accountId: string }>`
    select a.id as "accountId", party.*
    from unnest(${[...new Set(keys.map(({ accountId }) => accountId))]}::text[]) as a (id)
    cross join lateral (
      select counterparty_id as id, count(*) as times from bank.transaction where account_id = a.id
      group by counterparty_id order by times desc, counterparty_id limit ${most}
    ) often
    cross join lateral (
      select ${columnList(keys, COUNTERPARTY_FORMAT)} from bank.counterparty p where p.id = often.id
    ) party
    order by a.id, often.times desc, often.id`.execute(db);
    const byAccount = groupBy(rows, ({ accountId }) => accountId);
    return keys.map(({ accountId, first }) => (byAccount.get(accountId) ?? []).slice(0, first));
  },
  { cacheKeyFn: textOfKey },
);

/** @throws GraphQLError `BAD_USER_INPUT` */
export async function loadFrequentParties(
  accountId: string,
  args: { readonly first?: number | null },
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<readonly PartyRow[]> {
  const first = args.first ?? DEFAULT_PARTIES;
  if (first < 1 || first > MOST_PARTIES) throw badUserInput(`"first" must be from 1 to ${MOST_PARTIES}`);
  return partiesOfAccounts(context).load({
    accountId,
    first,
    columns: requestedColumns(info, context, PARTY),
  });
}
