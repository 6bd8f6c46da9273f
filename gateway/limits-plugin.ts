import { GraphQLError, Kind, parse } from 'graphql';
import type { DocumentNode } from 'graphql';
import { clientMessage } from './error-text.js';
import { RefusedError } from './errors.js';
import { limitRefusal } from './limit/limits.js';
import type { DocumentStore, OperationLimiter } from './limit/index.js';
import type { SharedUse } from './request/shared-use.js';
import { requestOf } from './stages/gateway-request.js';
import type { GatewayContext, GatewayRequest } from './stages/gateway-request.js';

/** Replaces a text that must not be parsed. Nothing in it can be executed. */
const UNREAD: DocumentNode = Object.freeze({ kind: Kind.DOCUMENT, definitions: [] });

/**
 * The used part of Apollo Server's `ApolloServerPlugin`. Apollo's own type would be another one in a project of CommonJS, which
 * sees the types of Apollo's other build.
 */
export interface LimitsPlugin {
  requestDidStart(): Promise<{
    didResolveSource(context: LimitedRequest): Promise<void>;
    validationDidStart(): Promise<(errors?: readonly Error[]) => Promise<void>>;
    didResolveOperation(): Promise<void>;
  }>;
}

interface LimitedRequest {
  readonly source: string;
  readonly queryHash: string;
  readonly contextValue: GatewayContext;
}

export interface LimitsPluginParts {
  readonly limiter: OperationLimiter;
  /** Whether messages may suggest names of the schema. */
  readonly suggests: boolean;
  readonly store: DocumentStore;
  /** Records an operation that is refused before parsing. @returns the error for the client */
  readonly refuseUnread: (request: GatewayRequest, refusal: RefusedError) => Promise<GraphQLError>;
}

/**
 * Counts each text before Apollo Server parses and validates it, and refuses oversized ones.
 *
 * Apollo Server has no hook in between that may refuse. So the text is counted as soon as it is known (`didResolveSource`),
 * after the look-up of a persisted query. An oversized text is replaced by an empty document, and refused at the first hook
 * that may refuse (`didResolveOperation`).
 */
export function limitsPlugin({ limiter, suggests, store, refuseUnread }: LimitsPluginParts): LimitsPlugin {
  return {
    async requestDidStart() {
      let refusal: GraphQLError | undefined;
      return {
        async didResolveSource(context) {
          const { source, queryHash, contextValue } = context;
          if (store.has(queryHash)) return;
          const request = requestOf(contextValue);
          refusal = refusalOf(limiter, source, request?.usage ?? { tokens: 0, planning: undefined });
          if (refusal === undefined) return;
          leaveUnread(context);
          if (refusal instanceof RefusedError && request !== undefined)
            refusal = await refuseUnread(request, refusal);
        },
        async validationDidStart() {
          return async (errors) => {
            for (const error of errors ?? []) error.message = clientMessage(error.message, suggests);
          };
        },
        async didResolveOperation() {
          if (refusal !== undefined) throw refusal;
        },
      };
    },
  };
}

function refusalOf(limiter: OperationLimiter, text: string, shared: SharedUse): GraphQLError | undefined {
  const { tokens, exceeded } = limiter.scan(text, shared.tokens);
  if (exceeded !== undefined) return limitRefusal(exceeded);
  shared.tokens += tokens;
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true });
  } catch {
    // Apollo Server reports what is wrong with it.
    return undefined;
  }
  try {
    const tooLarge = limiter.checkDocument(document);
    return tooLarge === undefined ? undefined : limitRefusal(tooLarge);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    error.extensions.http = { status: 400, headers: new Map() };
    return error;
  }
}

/** From now on the request has this document, whatever Apollo Server finds for its text. */
function leaveUnread(context: LimitedRequest): void {
  Object.defineProperty(context, 'document', { get: () => UNREAD, set: () => undefined });
}
