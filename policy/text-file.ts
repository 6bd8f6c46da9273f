import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { type ErrorDescription, isRecord, kindOf } from '@behalf/directives/internal';

/** The one code for files that cannot be read, whichever command or package reads them: a part of each registry. */
export const fileErrors = Object.freeze({
  FILE_UNREADABLE: {
    description:
      'A file cannot be read: it is missing, a folder, not permitted, or not UTF-8 text. The message names it.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Makes the reader's own kind of error of a problem. */
export type Refuse = (problem: string) => Error;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'permission denied',
};

/**
 * Reads a text file.
 *
 * @param refuse makes the error for a file that cannot be read; its code is `FILE_UNREADABLE`
 */
export async function readTextFile(file: string, refuse: Refuse): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
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
