import { readTextFile } from '@behalf/policy/internal';
import { CommandError } from './command-error.js';

/** @throws CommandError `FILE_UNREADABLE` */
export async function readText(file: string): Promise<string> {
  return readTextFile(file, (problem) => new CommandError('FILE_UNREADABLE', problem), { allowPipes: true });
}
