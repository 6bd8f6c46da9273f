import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { CommandError } from './command-error.js';

/** The registration of an application in a JSON file; what stands in it is the register's to judge. @throws CommandError `FILE_UNREADABLE` */
export async function readRegistration(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(resolve(file), 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new CommandError('FILE_UNREADABLE', `${file}: ${reason}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message repeats what stands there, and somebody may have put a private key into it.
    throw new CommandError('FILE_UNREADABLE', `${file}: is no JSON`);
  }
}
