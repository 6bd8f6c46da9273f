const SHAPE = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/;

/** @param bban the part after the check digits, in the country's own format */
export function makeIban(country: string, bban: string): string {
  const check = 98 - remainder(`${bban}${country}00`);
  return `${country}${String(check).padStart(2, '0')}${bban}`;
}

/** Whether a text is an account number with valid check digits (ISO 13616, ISO 7064 MOD 97-10). */
export function isIban(text: string): boolean {
  return SHAPE.test(text) && remainder(text.slice(4) + text.slice(0, 4)) === 1;
}

function remainder(characters: string): number {
  let rest = 0;
  for (const character of characters) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value < 10 ? 10 : 100) + value) % 97;
  }
  return rest;
}
