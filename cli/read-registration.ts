import { resolve } from 'node:path';

import { readTextFile, requireKeys } from '@behalf/policy/internal';
import { CommandError } from './command-error.js';

/** Reads an application's registration from a JSON file; the register checks it. @throws CommandError `FILE_UNREADABLE` */
export async function readRegistration(file: string): Promise<unknown> {
  const refuse = (problem: string): Error => new CommandError('FILE_UNREADABLE', problem);
  const text = await readTextFile(resolve(file), refuse, { allowPipes: true });
  if (text.trim() === '') return requireKeys(undefined, resolve(file), refuse);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the file, which could hold a private key.
    throw refuse(`${resolve(file)} is not JSON`);
  }
  return requireKeys(value, resolve(file), refuse);
}
