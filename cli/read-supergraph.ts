import { readText } from './read-text.js';

/**
 * A supergraph's SDL: the content of the file, or what a `supergraph.yaml` composes to.
 *
 * @throws CommandError `FILE_UNREADABLE`
 * @throws ComposeError
 */
export async function readSupergraphSdl(file: string): Promise<string> {
  if (!/\.ya?ml$/i.test(file)) return readText(file);
  const { composeSupergraph, readSupergraphConfig } = await import('@behalf/gateway/tools');
  return composeSupergraph(await readSupergraphConfig(file));
}
