import Negotiator from 'negotiator';

const RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';

/** As Apollo Server offers them, parameters included, so that both choose alike. */
const OFFERED = [
  'application/json; charset=utf-8',
  RESPONSE_TYPE,
  'application/json; callbackSpec=1.0; charset=utf-8',
];

/**
 * Whether the response is `application/graphql-response+json`, whose status reflects the operation's outcome (GraphQL over HTTP
 * section 6.4.2). Plain `application/json`, for a client that states nothing, keeps 200 for every readable request (section
 * 6.4.1).
 */
export function statusTellsOutcome(accept: string | undefined): boolean {
  return isStated(accept) && choose(accept) === RESPONSE_TYPE;
}

/**
 * Whether the client takes a type in which operations are answered. Apollo Server asks only after it has executed the operation,
 * and its answer is lost then.
 */
export function isAcceptable(accept: string | undefined): boolean {
  return !isStated(accept) || choose(accept) !== undefined;
}

function isStated(accept: string | undefined): accept is string {
  return accept !== undefined && accept !== '';
}

function choose(accept: string): string | undefined {
  return new Negotiator({ headers: { accept } }).mediaType(OFFERED);
}
