import { faker as finnish } from '@faker-js/faker/locale/fi';
import { faker as swedish } from '@faker-js/faker/locale/sv';

import type { Random } from './random.js';
import { TOWNS } from './towns.js';

export interface CustomerRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly birthDate: string;
  readonly street: string;
  readonly postalCode: string;
  readonly city: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly taxId: string;
}

/** The two people that the demo signs in as. */
const KNOWN_NAMES = ['Alma Lindqvist', 'Noor Haddad'];

const DAY_MS = 86_400_000;
const OLDEST_BIRTH_MS = Date.UTC(1938, 0, 1);
const YOUNGEST_BIRTH_MS = Date.UTC(2007, 0, 1);
// Individual numbers from 900 are never issued.
const FICTIONAL_NUMBER = { least: 900, most: 999 };
const CHECK_CHARACTERS = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** Parts of names and addresses, to be combined: calling faker for each row would take seconds. */
export interface NamePools {
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly streets: readonly string[];
  readonly companies: readonly string[];
}

export function makePools(seed: number): NamePools {
  finnish.seed(seed);
  swedish.seed(seed);
  const several = (count: number, make: () => string): string[] => [
    ...new Set(Array.from({ length: count }, make)),
  ];
  return {
    firstNames: [
      ...several(150, () => finnish.person.firstName()),
      ...several(150, () => swedish.person.firstName()),
    ],
    lastNames: [
      ...several(200, () => finnish.person.lastName()),
      ...several(200, () => swedish.person.lastName()),
    ],
    streets: several(200, () => finnish.location.street()),
    companies: several(300, () => finnish.company.name()),
  };
}

export function makeCustomers(count: number, pools: NamePools, random: Random): CustomerRow[] {
  return Array.from({ length: count }, (_, index) => makeCustomer(index, pools, random));
}

function makeCustomer(index: number, pools: NamePools, random: Random): CustomerRow {
  const drawn = `${random.pick(pools.firstNames)} ${random.pick(pools.lastNames)}`;
  const name = KNOWN_NAMES[index] ?? drawn;
  const number = index + 1;
  const town = random.pick(TOWNS);
  const birthDate = makeBirthDate(random);
  return {
    id: `c-${String(number).padStart(6, '0')}`,
    name,
    email: `${mailName(name)}${index < KNOWN_NAMES.length ? '' : number}@example.net`,
    phone: `+35845${String(random.integer(0, 9_999_999)).padStart(7, '0')}`,
    birthDate,
    street: `${random.pick(pools.streets)} ${random.integer(1, 120)}`,
    postalCode: `${town.postalPrefix}${random.integer(1, 9)}0`,
    city: town.name,
    country: 'FI',
    latitude: nearby(town.latitude, random),
    longitude: nearby(town.longitude, random),
    taxId: makeTaxId(birthDate, random),
  };
}

function makeBirthDate(random: Random): string {
  const days = random.integer(0, (YOUNGEST_BIRTH_MS - OLDEST_BIRTH_MS) / DAY_MS);
  return new Date(OLDEST_BIRTH_MS + days * DAY_MS).toISOString().slice(0, 10);
}

/** A Finnish personal identity code: day of birth, sign of the century, number, check character. */
function makeTaxId(birthDate: string, random: Random): string {
  const [year = '', month = '', day = ''] = birthDate.split('-');
  const number = random.integer(FICTIONAL_NUMBER.least, FICTIONAL_NUMBER.most);
  const date = `${day}${month}${year.slice(2)}`;
  const check = CHECK_CHARACTERS[Number(`${date}${number}`) % CHECK_CHARACTERS.length] ?? '';
  return `${date}${year.startsWith('20') ? 'A' : '-'}${number}${check}`;
}

function mailName(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .replaceAll(' ', '.');
}

/** A random place within about four kilometres, rounded to a metre. */
export function nearby(degrees: number, random: Random): number {
  return Math.round((degrees + (random.next() - 0.5) * 0.08) * 1e5) / 1e5;
}
