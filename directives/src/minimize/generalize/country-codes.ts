/**
 * Country codes of E.164 that have one or two digits. All others have three, and no code begins with another one (ITU-T E.164,
 * list of assigned codes).
 */
const SHORT: ReadonlySet<string> = new Set([
  ...['1', '7'],
  ...[
    '20',
    '27',
    '30',
    '31',
    '32',
    '33',
    '34',
    '36',
    '39',
    '40',
    '41',
    '43',
    '44',
    '45',
    '46',
    '47',
    '48',
    '49',
  ],
  ...['51', '52', '53', '54', '55', '56', '57', '58', '60', '61', '62', '63', '64', '65', '66'],
  ...['81', '82', '84', '86', '90', '91', '92', '93', '94', '95', '98'],
]);

/** Digits, and what people write between them. */
const INTERNATIONAL = /^(?:\+|00)([\d ()./-]+)$/;
const MAX_DIGITS = 15;
const MIN_DIGITS = 5;

/**
 * The country code of a phone number in international form, `+43`.
 *
 * @returns null for a number without its country, which nobody can tell
 */
export function countryCodeOf(number: string): string | null {
  const digits = INTERNATIONAL.exec(number.trim())?.[1]?.replaceAll(/\D/g, '') ?? '';
  if (digits.length < MIN_DIGITS || digits.length > MAX_DIGITS || digits.startsWith('0')) return null;
  const length = [1, 2].find((count) => SHORT.has(digits.slice(0, count))) ?? 3;
  return `+${digits.slice(0, length)}`;
}
