import { errorCauses } from '@apollo/federation-internals';

/** What `@apollo/gateway` says against a supergraph, one text for each reason; undefined for any other error. */
export function reasonsNotServed(error: unknown): readonly string[] | undefined {
  if (!(error instanceof Error)) return undefined;
  return errorCauses(error)?.map(({ message }) => message);
}
