import { isRecord } from '../is-record.js';
import { checkKeys, must, text } from '../option-checks.js';
import { BINDING, checkTrust, refuseOption } from './check-trust.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { createTxnTokenReader, TXN_TOKEN_CLOCK_TOLERANCE_SECONDS } from './read-txn-token.js';
import type { GatewayTrust, TxnTokenVerification, VerifiedTxnToken } from './read-txn-token.js';
import { InMemoryReplay } from './replay-memory.js';
import type { ReplayAnswer, ReplayMemory } from './replay-memory.js';
import { graphqlRequestHash } from './request-hash.js';

/** How tokens that are bound to one request are treated. */
export interface TxnTokenBinding {
  /** `required`: unbound tokens are refused. `accepted` (the default): bound tokens are checked, and unbound ones accepted. */
  readonly binding?: 'required' | 'accepted';
  /** Remembers used bound tokens. Default: 100,000 in this process's memory. */
  readonly replay?: ReplayMemory;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/**
 * Creates the verifier of one subgraph, or of any other service that the gateway names as an audience
 * (draft-ietf-oauth-transaction-tokens section 8, RFC 8725). Subgraphs that use `protectedContext` do not need it.
 *
 * It checks the signature by one of the gateway's keys, algorithm, type, issuer, audience (this subgraph's name), expiry,
 * lifetime, and the shape of every claim that decisions use; for a bound token also that it is for this request, and was not
 * used before. It does **not** check whether an unbound token was used before: such a token can be reused until it expires. Nor does it
 * check scopes: your code decides what the delegation may do.
 *
 * @throws {DirectiveError} `INVALID_OPTIONS`, naming the option
 * @returns a function of the `Txn-Token` header and the parsed body of what will be executed, which a bound token needs. It
 * never rejects because of the caller's input; the refusal is for your log, not for the caller.
 *
 * @example
 * ```ts
 * import { createTxnTokenVerifier } from '@behalf/directives';
 * import type { IncomingMessage, ServerResponse } from 'node:http';
 *
 * const verify = createTxnTokenVerifier('ledger', {
 *   issuer: 'https://gateway.example',
 *   jwksUri: 'https://gateway.example/.well-known/jwks.json',
 * });
 *
 * export async function entries(request: IncomingMessage, response: ServerResponse): Promise<void> {
 *   const { verified } = await verify(request.headers['txn-token']);
 *   const { delegation } = verified ?? {};
 *   if (delegation === undefined) response.writeHead(401).end();
 *   else if (!delegation.scopes.has('ledger:read')) response.writeHead(403).end();
 *   else response.end(JSON.stringify({ entriesOf: delegation.subject }));
 * }
 * ```
 */
export function createTxnTokenVerifier(
  audience: string,
  trust: GatewayTrust,
  options: TxnTokenBinding = {},
): (header: string | readonly string[] | undefined, body?: unknown) => Promise<TxnTokenVerification> {
  checkArguments(audience, trust, options);
  const {
    binding = 'accepted',
    clock = systemClock,
    replay = new InMemoryReplay(undefined, clock),
  } = options;
  const read = createTxnTokenReader(audience, trust, clock);

  return async (header, body) => {
    const reading = await read(header);
    const { verified } = reading;
    if (verified === undefined) return reading;
    if (verified.boundTo === undefined)
      return binding === 'accepted' ? reading : { refusal: 'TXN_TOKEN_UNBOUND' };
    if (graphqlRequestHash(body) !== verified.boundTo) return { refusal: 'TXN_TOKEN_BODY' };
    // Last, so that a copy of a token that is refused for another reason does not use it up.
    const answer = await useOnce(verified, replay);
    if (answer === 'first') return reading;
    return { refusal: answer === 'replayed' ? 'TXN_TOKEN_REPLAYED' : 'TXN_TOKEN_REPLAY_UNKNOWN' };
  };
}

/** A misspelt option would verify less than its author believes. @throws {DirectiveError} `INVALID_OPTIONS` */
function checkArguments(audience: unknown, trust: unknown, options: unknown): void {
  const problem = text(audience);
  if (problem !== undefined) refuseOption('the audience', problem);
  if (!isRecord(trust)) refuseOption('gateway', must('an object', trust));
  checkTrust(trust);
  if (!isRecord(options)) refuseOption('the options', must('an object', options));
  checkKeys('', options, BINDING, { required: [], refuse: refuseOption });
}

async function useOnce(
  { tokenId, expiresAt }: VerifiedTxnToken,
  replay: ReplayMemory,
): Promise<ReplayAnswer | undefined> {
  if (tokenId === undefined) return undefined;
  try {
    // A token is accepted until the tolerance ends, so it must be remembered that long.
    return await replay.use(tokenId, expiresAt + TXN_TOKEN_CLOCK_TOLERANCE_SECONDS + 1);
  } catch {
    return undefined;
  }
}
