/**
 * Every reason why a witness cannot start. The codes are stable.
 *
 * @example
 * ```ts
 * import { type WitnessErrorCode, witnessErrors } from '@behalf/witness';
 *
 * export function describe(code: WitnessErrorCode): string {
 *   return witnessErrors[code].description;
 * }
 * ```
 */
export const witnessErrors = Object.freeze({
  WITNESS_OPTION_INVALID: {
    description: 'An option is unknown, missing or cannot be used; the message begins with its name.',
    since: '0.1.0',
  },
  WITNESS_NAME_INVALID: { description: 'The name of the witness cannot be one.', since: '0.1.0' },
  WITNESS_KEY_UNUSABLE: { description: 'The file has no key that can cosign.', since: '0.1.0' },
  WITNESS_STATE_UNUSABLE: {
    description:
      'What the witness remembers of a log cannot be read or written, or its key has not cosigned it, so it must not cosign.',
    since: '0.1.0',
  },
});

/** Every code of a {@link WitnessError}. */
export type WitnessErrorCode = keyof typeof witnessErrors;

/**
 * A witness cannot start.
 *
 * @example
 * ```ts
 * import { startWitness, WitnessError } from '@behalf/witness';
 *
 * export async function start(options: Parameters<typeof startWitness>[0]): Promise<void> {
 *   try {
 *     await startWitness(options);
 *   } catch (error) {
 *     if (error instanceof WitnessError) console.error(error.code, error.message);
 *     else throw error;
 *   }
 * }
 * ```
 */
export class WitnessError extends Error {
  override readonly name = 'WitnessError';

  constructor(
    readonly code: WitnessErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** The file system's code of an error. Its message would say more than whoever reads it has to know. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? (error instanceof Error ? error.name : 'unknown reason');
}
