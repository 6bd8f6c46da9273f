import { text as textOf } from 'node:stream/consumers';
import { isRecord } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import { decodeJwt } from 'jose';
import { readDelegation } from '@behalf/gateway/internal';
import { Namespaces } from '@behalf/gateway/internal';
import { createOperationAuthorizer } from '@behalf/gateway/internal';
import { explainOperation, supposedDelegation } from '@behalf/gateway/tools';
import { printable } from '@behalf/gateway/internal';
import { apiSchemaOf } from '@behalf/gateway/tools';
import { CommandError } from './command-error.js';
import { explanationLines } from './explanation-lines.js';
import { readSupergraphSdl, readText } from './read-supergraph.js';

export interface ExplainOptions {
  /** File with the operation; `-` for standard input. */
  readonly operationFile: string;
  /** SDL, or a `supergraph.yaml` to compose. */
  readonly supergraph: string;
  readonly coverage: 'required' | 'open';
  readonly operationName?: string | undefined;
  /** A JWT, or `@FILE` with one. */
  readonly token?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly purposes?: readonly string[] | undefined;
  readonly policies?: readonly string[] | undefined;
  readonly anonymous: boolean;
  readonly format: 'human' | 'json';
}

/**
 * `behalf explain`: what becomes of each field of an operation, and by which rule.
 *
 * @returns 0 when nothing is denied, 1 when something is, 2 for an operation that is not valid.
 * @throws {CommandError} and others for what cannot be read: 2 as well.
 */
export async function explainCommand(
  options: ExplainOptions,
  print: (line: string) => void,
  printError: (line: string) => void,
): Promise<0 | 1 | 2> {
  const caller = await callerOf(options);
  const { operationFile } = options;
  const query = operationFile === '-' ? await textOf(process.stdin) : await readText(operationFile);
  const authorizer = createOperationAuthorizer(await readSupergraphSdl(options.supergraph), {
    coverage: options.coverage,
  });
  const { delegation, operationName } = { ...caller, ...options };
  const result = explainOperation(
    { query, file: operationFile === '-' ? 'stdin' : operationFile, operationName, delegation },
    authorizer,
    apiSchemaOf(authorizer.executableSdl),
  );
  if (result.errors !== undefined) {
    printError('OPERATION_INVALID: the operation is not one that the gateway would take');
    for (const error of result.errors)
      printError(
        error
          .toString()
          .trimEnd()
          .replace(/^(?=.)/gm, '  '),
      );
    return 2;
  }
  const { explanation } = result;
  if (options.format === 'json') {
    // Loud for programs too.
    const verified = caller.notes.length > 0 ? { tokenVerified: false } : {};
    print(JSON.stringify({ decidedFor: caller.words, ...verified, ...explanation }, undefined, 2));
  } else for (const line of explanationLines(explanation, caller)) print(printable(line));
  return explanation.allowed ? 0 : 1;
}

interface Caller {
  readonly delegation: Delegation | undefined;
  /** Who it is decided for. */
  readonly words: string;
  /** To be said loudly. */
  readonly notes: readonly string[];
}

async function callerOf(options: ExplainOptions): Promise<Caller> {
  const { token, scopes, purposes, policies, anonymous } = options;
  const supposed = scopes !== undefined || purposes !== undefined;
  if (anonymous && (token !== undefined || supposed || policies !== undefined)) {
    throw new CommandError('USAGE', '--anonymous holds nothing: leave out the other');
  }
  if (token !== undefined) {
    if (supposed)
      throw new CommandError('USAGE', '--token brings its own scopes and purposes: leave out the others');
    return callerOfToken(token.startsWith('@') ? await readText(token.slice(1)) : token, policies ?? []);
  }
  if (!supposed && policies === undefined) {
    return { delegation: undefined, words: 'a caller without a token', notes: [] };
  }
  const delegation = supposedDelegation({ scopes, purposes, policies });
  return { delegation, words: `a token with ${holdings(delegation)}`, notes: [] };
}

/** Nothing of the token is printed but the names that it holds. @throws {CommandError} `TOKEN_UNREADABLE` */
function callerOfToken(token: string, policies: readonly string[]): Caller {
  const delegation = readUnverified(token.trim());
  const held = { ...delegation, policies: new Set([...delegation.policies, ...policies]) };
  return {
    delegation: held,
    words: `the token’s claims: ${holdings(held)}`,
    notes: [
      'NOT VERIFIED: neither signature, issuer, audience, expiry nor revocation of the token was looked at.',
      'The gateway may refuse it. Policies that it answers itself are not in a token: say --policies.',
    ],
  };
}

function readUnverified(token: string): Delegation {
  try {
    const claims: unknown = decodeJwt(token);
    if (isRecord(claims) && typeof claims.sub === 'string') {
      const payload = { exp: 0, iat: 0, jti: undefined, ...claims, sub: claims.sub } as const;
      return readDelegation({
        issuer: { issuer: '', audience: '' },
        namespaces: new Namespaces([]),
        payload: { ...payload, exp: 0, iat: 0, jti: undefined },
      }).delegation;
    }
  } catch {
    // The reason could quote the token.
  }
  throw new CommandError(
    'TOKEN_UNREADABLE',
    'the token is no JWT with the claims of a delegation (sub, client_id, scope)',
  );
}

function holdings({ scopes, policies, consent }: Delegation): string {
  const words = (what: string, names: Iterable<string>): string[] => {
    const list = [...names];
    return list.length === 0 ? [] : [`${what} ${list.join(' ')}`];
  };
  const parts = [
    ...words('scopes', scopes),
    ...words('purposes', consent?.purposes ?? []),
    ...words('policies', policies),
    ...(consent?.detail === 'minimal' ? ['less detail asked for'] : []),
  ];
  return parts.length === 0 ? 'nothing in it' : parts.join(', ');
}
