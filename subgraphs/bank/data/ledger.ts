import { makeIban } from './iban.js';
import { type NamePools, nearby } from './people.js';
import type { Random } from './random.js';
import { TOWNS } from './towns.js';

export interface CounterpartyRow {
  readonly id: number;
  readonly kind: 'MERCHANT' | 'PERSON';
  readonly name: string;
  readonly category: string | null;
  readonly city: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly iban: string | null;
}

/** How often people spend on a category, and how much in cents; income is positive. */
const HABITS = [
  { category: 'GROCERIES', share: 0.34, least: -9_500, most: -350 },
  { category: 'RESTAURANTS', share: 0.17, least: -6_500, most: -290 },
  { category: 'TRANSPORT', share: 0.15, least: -7_900, most: -240 },
  { category: 'SHOPPING', share: 0.12, least: -18_000, most: -590 },
  { category: 'LEISURE', share: 0.08, least: -8_000, most: -450 },
  { category: 'HEALTH', share: 0.05, least: -12_000, most: -690 },
  { category: 'TRANSFER', share: 0.09, least: -25_000, most: 15_000 },
] as const;
const MERCHANT_CATEGORIES = [
  'SALARY',
  'HOUSING',
  ...HABITS.map(({ category }) => category).filter((category) => category !== 'TRANSFER'),
];
const NOTES = [
  'Thanks!',
  'Dinner on Friday',
  'Concert tickets',
  'Birthday present',
  'Share of the trip',
  'Rent',
];

/** The last second of the generated data: fixed, so that the data does not depend on today's date. */
export const REFERENCE_TIME_SECONDS = Date.UTC(2026, 8, 30, 21, 59, 59) / 1000;
const SPAN_SECONDS = 730 * 86_400;

export class Counterparties {
  readonly rows: CounterpartyRow[] = [];
  readonly #byCategory = new Map<string, CounterpartyRow[]>();

  constructor(merchants: number, persons: number, pools: NamePools, random: Random) {
    for (let index = 0; index < merchants; index++) {
      const category = MERCHANT_CATEGORIES[index % MERCHANT_CATEGORIES.length] ?? 'SHOPPING';
      const town = random.pick(TOWNS);
      // Employers and landlords have no shop that people visit.
      const isShop = category !== 'SALARY' && category !== 'HOUSING';
      this.#add(category, {
        kind: 'MERCHANT',
        name: pools.companies[index % pools.companies.length] ?? 'Kauppa Oy',
        category,
        city: isShop ? town.name : null,
        latitude: isShop ? nearby(town.latitude, random) : null,
        longitude: isShop ? nearby(town.longitude, random) : null,
        iban: null,
      });
    }
    for (let index = 0; index < persons; index++) {
      this.#add('TRANSFER', {
        kind: 'PERSON',
        name: `${random.pick(pools.firstNames)} ${random.pick(pools.lastNames)}`,
        category: null,
        city: null,
        latitude: null,
        longitude: null,
        iban: makeIban('FI', `57${String(10_000_000 + index * 37).padStart(12, '0')}`),
      });
    }
  }

  of(category: string): readonly CounterpartyRow[] {
    return this.#byCategory.get(category) ?? [];
  }

  #add(category: string, row: Omit<CounterpartyRow, 'id'>): void {
    const withId = { id: this.rows.length + 1, ...row };
    this.rows.push(withId);
    const known = this.#byCategory.get(category);
    if (known === undefined) this.#byCategory.set(category, [withId]);
    else known.push(withId);
  }
}

/** One array per column, as it is written to the database. */
export class TransactionColumns {
  readonly account: number[] = [];
  readonly bookedAtSeconds: number[] = [];
  readonly cents: number[] = [];
  readonly category: string[] = [];
  readonly counterparty: number[] = [];
  readonly remittance: string[] = [];
}

/**
 * Books `count` transactions of one account into `columns`, oldest first. The account is never overdrawn.
 *
 * @returns the balance in cents: the sum of the bookings
 */
export function bookAccount(
  columns: TransactionColumns,
  account: { readonly index: number; readonly isSavings: boolean },
  count: number,
  parties: Counterparties,
  random: Random,
): number {
  if (count === 0) return 0;
  const opening = columns.cents.length;
  const step = SPAN_SECONDS / count;
  const employer = random.pick(parties.of('SALARY'));
  const landlord = random.pick(parties.of('HOUSING'));
  // People return to a few favourite shops.
  const favourites = new Map(
    HABITS.map(({ category }) => [
      category,
      Array.from({ length: 4 }, () => random.pick(parties.of(category))),
    ]),
  );
  const salary = random.integer(210_000, 480_000);
  const rent = -random.integer(55_000, 130_000);
  let balance = 0;
  let lowest = 0;
  for (let index = 0; index < count; index++) {
    columns.account.push(account.index);
    columns.bookedAtSeconds.push(
      Math.floor(REFERENCE_TIME_SECONDS - SPAN_SECONDS + (index + random.next()) * step),
    );
    let category: string;
    let cents: number;
    let party: CounterpartyRow;
    if (index === 0 || account.isSavings) {
      category = 'TRANSFER';
      cents = index === 0 ? 0 : random.integer(-20, 60) * 1_000;
      party = random.pick(favourites.get('TRANSFER') ?? []);
    } else if (index % 14 === 7) {
      [category, cents, party] = ['SALARY', salary, employer];
    } else if (index % 14 === 8) {
      [category, cents, party] = ['HOUSING', rent, landlord];
    } else {
      const habit = pickHabit(random);
      category = habit.category;
      cents = random.integer(habit.least, habit.most);
      party = random.pick(favourites.get(habit.category) ?? []);
    }
    columns.cents.push(cents);
    columns.category.push(category);
    columns.counterparty.push(party.id);
    columns.remittance.push(index === 0 ? 'Opening deposit' : noteOf(category, random));
    balance += cents;
    lowest = Math.min(lowest, balance);
  }
  // The opening deposit covers the lowest balance, and a little more.
  const deposit = -lowest + random.integer(10_000, 400_000);
  columns.cents[opening] = deposit;
  return balance + deposit;
}

function pickHabit(random: Random): (typeof HABITS)[number] {
  let rest = random.next();
  for (const habit of HABITS) {
    rest -= habit.share;
    if (rest < 0) return habit;
  }
  return HABITS[0];
}

function noteOf(category: string, random: Random): string {
  if (category === 'TRANSFER') return random.pick(NOTES);
  return { SALARY: 'Pay', HOUSING: 'Rent' }[category] ?? 'Card payment';
}
