import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { CommandError } from './command-error.js';

/** Reads an application's registration from a JSON file; the register checks it. @throws CommandError `FILE_UNREADABLE` */
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
    // The parser's message quotes the file, which could hold a private key.
    throw new CommandError('FILE_UNREADABLE', `${file}: is not JSON`);
  }
}
