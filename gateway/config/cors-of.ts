import { Cors } from '../http/cors.js';
import type { CorsOptions } from '../http/cors.js';
import { MINIMIZED_HEADER } from '../http/minimized-header.js';
import type { SubgraphsOptions } from '../propagate/subgraph-options.js';

/** One of these lets a GET pass as no form of another site could send it; see `csrfPrevention` of Apollo Server. */
const PREFLIGHTED: readonly string[] = ['Apollo-Require-Preflight', 'X-Apollo-Operation-Name'];

interface ReadFromPages {
  readonly cors?: CorsOptions;
  readonly http: { readonly get: boolean };
  readonly subgraphs: SubgraphsOptions;
  readonly authorization: { readonly minimizedPaths: boolean };
}

/**
 * The rule for web pages: they may send every header that the configuration reads from clients.
 *
 * @returns undefined if no page may call the gateway. @throws {ConfigurationError}
 */
export function corsOf({ cors, http, subgraphs, authorization }: ReadFromPages): Cors | undefined {
  if (cors === undefined) return undefined;
  const forwarded = Object.values(subgraphs).flatMap(({ forwardHeaders = [] }) => forwardHeaders);
  return new Cors(cors, [
    ...(authorization.minimizedPaths ? [MINIMIZED_HEADER] : []),
    ...(http.get ? PREFLIGHTED : []),
    ...forwarded,
  ]);
}
