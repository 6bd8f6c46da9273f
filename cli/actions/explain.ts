import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { isRecord } from '@behalf/directives/internal';
import type { ConsentLevels, Delegation } from '@behalf/directives';
import { readPolicy } from '@behalf/policy';
import { decodeJwt } from 'jose';
import { readDelegation, Namespaces } from '@behalf/gateway/internal';
import { printable } from '@behalf/gateway/printable';
import { createExplainer, supposedDelegation } from '@behalf/gateway/tools';
import { CommandError } from '../command-error.js';
import { explanationLines } from './explanation-lines.js';
import { readSupergraphSdl } from '../read-supergraph.js';
import { readText } from '../read-text.js';

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
  /** By data category or field. */
  readonly levels?: ConsentLevels | undefined;
  readonly client?: string | undefined;
  /** File whose levels and rules of minimization are applied. */
  readonly policy?: string | undefined;
  readonly anonymous: boolean;
  readonly format: 'human' | 'json';
  readonly stdin: Readable;
}

/**
 * `behalf explain`: prints what the gateway would do with each field of an operation, and by which rule.
 *
 * @returns 0 when nothing is denied, 1 when something is, 2 when the operation is not valid
 * @throws CommandError `USAGE`, `FILE_UNREADABLE`, `TOKEN_UNREADABLE`
 * @throws SupergraphError, ComposeError when the supergraph cannot be used
 */
export async function explainFile(
  options: ExplainOptions,
  print: (line: string) => void,
  printError: (line: string) => void,
): Promise<0 | 1 | 2> {
  const caller = await callerOf(options);
  const { operationFile } = options;
  const query = operationFile === '-' ? await textOf(options.stdin) : await readText(operationFile);
  const policy = options.policy === undefined ? undefined : await readPolicy(options.policy);
  const explain = createExplainer(await readSupergraphSdl(options.supergraph), options.coverage, policy);
  const { delegation, operationName } = { ...caller, ...options };
  const file = operationFile === '-' ? 'stdin' : operationFile;
  const result = explain({ query, file, operationName, delegation });
  if (result.errors !== undefined) {
    printError('OPERATION_INVALID: the gateway would refuse the operation');
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
    // Programs must be able to see it as well as people.
    const verified = caller.notes.length > 0 ? { tokenVerified: false } : {};
    print(JSON.stringify({ decidedFor: caller.words, ...verified, ...explanation }, undefined, 2));
  } else for (const line of explanationLines(explanation, caller)) print(printable(line));
  return explanation.allowed ? 0 : 1;
}

interface Caller {
  readonly delegation: Delegation | undefined;
  /** Describes the caller. */
  readonly words: string;
  /** Warnings, printed first. */
  readonly notes: readonly string[];
}

async function callerOf(options: ExplainOptions): Promise<Caller> {
  const { token, scopes, purposes, policies, levels, client, anonymous } = options;
  const supposed = [scopes, purposes, levels, client].some((each) => each !== undefined);
  if (anonymous && (token !== undefined || supposed || policies !== undefined)) {
    throw new CommandError(
      'USAGE',
      '--anonymous excludes --token, --scopes, --purposes, --policies, --levels and --client',
    );
  }
  if (token !== undefined) {
    if (supposed)
      throw new CommandError(
        'USAGE',
        '--token has its own scopes, purposes, levels and client: it excludes --scopes, --purposes, --levels and --client',
      );
    return callerOfToken(token.startsWith('@') ? await readText(token.slice(1)) : token, policies ?? []);
  }
  if (!supposed && policies === undefined) {
    return { delegation: undefined, words: 'a caller without a token', notes: [] };
  }
  const delegation = supposedDelegation({ scopes, purposes, policies, levels, client });
  return { delegation, words: `a token with ${holdings(delegation)}`, notes: [] };
}

/** Prints nothing of the token but the names of what it grants. @throws CommandError `TOKEN_UNREADABLE` */
function callerOfToken(token: string, policies: readonly string[]): Caller {
  const delegation = readUnverified(token.trim());
  const held = { ...delegation, policies: new Set([...delegation.policies, ...policies]) };
  return {
    delegation: held,
    words: `the token’s claims: ${holdings(held)}`,
    notes: [
      'NOT VERIFIED: signature, issuer, audience, expiry and revocation of the token were not checked.',
      'The gateway may refuse it. Policies that the gateway evaluates itself are not in a token: add them with --policies.',
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
    // The cause is dropped: its message could quote the token.
  }
  throw new CommandError(
    'TOKEN_UNREADABLE',
    'the token is not a JWT with the claims of a delegation (sub, client_id, scope)',
  );
}

function holdings({ scopes, policies, consent }: Delegation): string {
  const words = (what: string, names: Iterable<string>): string[] => {
    const list = [...names];
    return list.length === 0 ? [] : [`${what} ${list.join(' ')}`];
  };
  const chosen = Object.entries(consent?.levels ?? {}).flatMap(([name, levels]) =>
    levels.map((level) => `${name}=${level}`),
  );
  const parts = [
    ...words('scopes', scopes),
    ...words('purposes', consent?.purposes ?? []),
    ...words('policies', policies),
    ...words('levels', chosen),
    ...(consent?.detail === 'minimal' ? ['minimal detail'] : []),
  ];
  return parts.length === 0 ? 'no scopes, purposes or policies' : parts.join(', ');
}
