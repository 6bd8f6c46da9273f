import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { Clock } from '@behalf/directives';
import { type ErrorDescription, isRecord, kindOf, systemClock } from '@behalf/directives/internal';
import { withinTime } from './bounded.js';

/** The one code for files that cannot be read, whichever command or package reads them: a part of each registry. */
export const fileErrors = Object.freeze({
  FILE_UNREADABLE: {
    description:
      'A file cannot be read: it is missing, a folder, not a regular file, not permitted, not UTF-8 text, or takes longer than ten seconds. The message names it.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Makes the reader's own kind of error of a problem. */
export type Refuse = (problem: string) => Error;

const NOT_REGULAR = 'it is not a regular file';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EAGAIN: NOT_REGULAR,
  EBUSY: 'earlier reads have not ended, as of a network mount that hangs',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a folder',
  ENXIO: NOT_REGULAR,
  EPERM: 'permission denied',
  ETIMEDOUT: 'it did not end within ten seconds',
};

/** How {@link readTextFile} reads. */
export interface ReadOptions {
  /** Accepts pipes and devices, and waits for their end: for a command that a person watches (`/dev/stdin`). Default: false. */
  readonly allowPipes?: boolean;
  /** Default: the machine's own. */
  readonly clock?: Clock;
}

/**
 * Reads a text file. Links are followed. Anything else than a regular file is refused, because it may never end.
 *
 * @param refuse makes the error for a file that cannot be read; its code is `FILE_UNREADABLE`
 */
export async function readTextFile(
  file: string,
  refuse: Refuse,
  { allowPipes = false, clock = systemClock }: ReadOptions = {},
): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = allowPipes
      ? await readFile(file)
      : await withinTime(resolve(file), () => readRegularFile(file), clock);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    const reason = REASONS[code];
    throw refuse(`${file} cannot be read: ${reason === undefined ? code : `${reason} (${code})`}`);
  }
  try {
    // Otherwise foreign bytes would silently become U+FFFD, also within names.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(`${file} cannot be read: it is not UTF-8 text`);
  }
}

/** Opening a pipe waits for its writer, unless it is told not to wait. The kind is the one of what was opened. */
async function readRegularFile(file: string): Promise<Uint8Array> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const kind = await opened.stat();
    if (kind.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    if (!kind.isFile()) throw Object.assign(new Error(NOT_REGULAR), { code: 'ENXIO' });
    return await opened.readFile();
  } finally {
    await opened.close();
  }
}

/**
 * Parses YAML, of which JSON is a part.
 *
 * @param refuse makes the error for a text that is not YAML
 */
export function parseYamlFile(text: string, file: string, refuse: Refuse): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    // Besides its own error, the parser throws a plain one for an undefined alias and for endless expansion. After the first line
    // it quotes the file, which may contain secrets.
    const [said = ''] = error instanceof Error ? error.message.split('\n') : [];
    throw refuse(`${file} is not YAML: ${said.replace(/:$/, '')}`);
  }
}

/** @param refuse makes the error for content without keys: a list, or nothing at all */
export function requireKeys(
  content: unknown,
  file: string,
  refuse: Refuse,
): Readonly<Record<string, unknown>> {
  if (isRecord(content)) return content;
  const isEmpty = content === undefined || content === null;
  throw refuse(`${file} must have keys at its top, but is ${isEmpty ? 'empty' : kindOf(content)}`);
}
