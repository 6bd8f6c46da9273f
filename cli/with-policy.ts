import { VerificationError } from '@behalf/audit-verify';
import { readText } from './read-text.js';

/**
 * Reads a C2SP tlog-policy, and does something with its text.
 *
 * @throws {VerificationError} for a mistake in it, with the name of the file; CommandError `FILE_UNREADABLE`
 */
export async function withPolicy<Result>(
  file: string,
  use: (policy: string) => Result | Promise<Result>,
): Promise<Result> {
  const policy = await readText(file);
  try {
    return await use(policy);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new VerificationError(error.code, `${file}: ${error.message}`);
  }
}
