import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CommandError } from '../command-error.js';
import { findTemplates, readOwnVersion } from './templates.js';

/** @see initProject */
export interface InitOptions {
  readonly kind: 'subgraph' | 'gateway';
  /** Where to write; created if it does not exist. */
  readonly folder: string;
  /** Name of the package; default: the name of the folder. */
  readonly name?: string | undefined;
  /** Write into a folder that is not empty, over files of the same name. */
  readonly force: boolean;
  /** Issuer of the access tokens, for a gateway; default: the variable BEHALF_ISSUER. */
  readonly issuer?: string | undefined;
  /** Audience of the access tokens, for a gateway; default: the variable BEHALF_AUDIENCE. */
  readonly audience?: string | undefined;
}

const MAX_NAME_LENGTH = 214;
/** The names that npm accepts for a new package. */
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * `behalf init`: writes a starter that runs after `npm install`. Nothing is written unless all options are accepted.
 *
 * @throws CommandError `USAGE` for a name, issuer or audience that cannot be used
 * @throws CommandError `FOLDER_NOT_EMPTY` unless `force` is set
 */
export async function initProject(options: InitOptions, print: (line: string) => void): Promise<void> {
  const { force, kind } = options;
  const folder = resolve(options.folder);
  const values = {
    __NAME__: checkName(options.name ?? basename(folder)),
    __BEHALF__: `^${readOwnVersion()}`,
    __ISSUER__: quoted(checkIssuer(options.issuer) ?? '${BEHALF_ISSUER}'),
    __AUDIENCE__: quoted(checkAudience(options.audience) ?? '${BEHALF_AUDIENCE}'),
  };
  if (!force && !(await isEmpty(folder))) {
    throw new CommandError(
      'FOLDER_NOT_EMPTY',
      `${options.folder} is not empty: use --force to write into it`,
    );
  }
  const written = await writeTemplate(findTemplates(kind), folder, values);
  print(`${options.folder}: ${written.join(', ')}`);
  print(`Next: cd ${options.folder} && npm install, then see README.md`);
}

async function writeTemplate(
  template: string,
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name));
  const written: string[] = [];
  for (const file of files.sort()) {
    const text = await readFile(file, 'utf8');
    // npm never publishes a file of the name `.gitignore`, so the template has it without its dot.
    const name = relative(template, file).replace(/^gitignore$/, '.gitignore');
    const target = join(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(
      target,
      text.replace(/__[A-Z]+__/g, (placeholder) => values[placeholder] ?? placeholder),
    );
    written.push(name);
  }
  return written;
}

/** A folder that does not exist counts as empty. */
async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw new CommandError('USAGE', `${folder} is not a folder that can be read`);
  }
}

function checkName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH && PACKAGE_NAME.test(name)) return name;
  throw new CommandError(
    'USAGE',
    `"${name}" cannot be the name of a package: use lower-case letters, digits and "-", or give another --name`,
  );
}

function checkIssuer(issuer: string | undefined): string | undefined {
  if (issuer === undefined) return undefined;
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (!isSecure || CONTROL_CHARACTER.test(issuer))
    throw new CommandError('USAGE', '--issuer must be an https address, or http on this machine');
  // RFC 8414 section 2, as the gateway checks it.
  if (!/[?#]/.test(issuer)) return issuer;
  throw new CommandError('USAGE', '--issuer must have no query and no fragment');
}

function checkAudience(audience: string | undefined): string | undefined {
  if (audience === undefined) return undefined;
  if (audience.trim() !== '' && !CONTROL_CHARACTER.test(audience)) return audience;
  throw new CommandError('USAGE', '--audience must not be empty, and must have no control characters');
}

/** For a single-quoted YAML text, in which only the quote is escaped. */
function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
