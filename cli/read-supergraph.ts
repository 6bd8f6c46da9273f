import { readTextFile } from '@behalf/policy/internal';
import { CommandError } from './command-error.js';
import { composeSupergraph, readSupergraphConfig } from '@behalf/gateway/tools';

/**
 * A supergraph's SDL: the content of the file, or what a `supergraph.yaml` composes to.
 *
 * @throws CommandError `FILE_UNREADABLE`
 * @throws ComposeError
 */
export async function readSupergraphSdl(file: string): Promise<string> {
  if (/\.ya?ml$/i.test(file)) return composeSupergraph(await readSupergraphConfig(file));
  return readText(file);
}

/** @throws CommandError `FILE_UNREADABLE` */
export async function readText(file: string): Promise<string> {
  return readTextFile(file, (problem) => new CommandError('FILE_UNREADABLE', problem));
}
