/** The length that the form accepts. */
const MAX_LENGTH = 100;

/** The canonical spelling of a username, under which accounts are found and wrong passwords are counted. */
export function normalizeUsername(written: string): string {
  return written.trim().slice(0, MAX_LENGTH).normalize('NFKC').toLowerCase();
}
