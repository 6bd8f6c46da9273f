import Negotiator from 'negotiator';

/** As Apollo Server offers them, so that both choose alike. */
const OFFERED = ['application/json', 'application/graphql-response+json'];

/**
 * Whether the response is `application/graphql-response+json`, whose status reflects the operation's outcome (GraphQL over HTTP
 * section 6.4.2). Plain `application/json`, for a client that states nothing, keeps 200 for every readable request (section
 * 6.4.1).
 */
export function statusTellsOutcome(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return false;
  return new Negotiator({ headers: { accept } }).mediaType(OFFERED) === 'application/graphql-response+json';
}
