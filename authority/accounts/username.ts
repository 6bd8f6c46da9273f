/** As many characters as the form takes. */
const MAX_LENGTH = 100;

/** One spelling of each name: by it an account is found, and by it wrong passwords are counted. */
export function normalizeUsername(written: string): string {
  return written.trim().slice(0, MAX_LENGTH).normalize('NFKC').toLowerCase();
}
