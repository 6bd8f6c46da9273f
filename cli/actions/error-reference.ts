import {
  denialErrors,
  directiveErrors,
  passOnErrors,
  requestErrors,
  subgraphLogCodes,
  subscriptionErrors,
  txnTokenRefusals,
} from '@behalf/directives/internal';
import type { ErrorDescription } from '@behalf/directives/internal';
import { auditErrors } from '@behalf/audit';
import { applicationErrors } from '@behalf/authority/clients';
import { authorityErrors, authorityLogCodes } from '@behalf/authority/internal';
import {
  configurationErrors,
  gatewayErrors,
  logCodes,
  revocationErrors,
  supergraphErrors,
} from '@behalf/gateway/internal';
import { policyErrors } from '@behalf/policy';
import { storeErrors, storeLogCodes } from '@behalf/store';
import { commandErrors } from '../command-error.js';
import { composeErrors } from '@behalf/gateway/tools';

export interface ErrorRegistry {
  readonly title: string;
  /** Who meets these codes, and where. */
  readonly met: string;
  readonly codes: Readonly<Record<string, ErrorDescription>>;
}

/** Every stable code of Behalf, by where it is met. */
export const errorRegistries: readonly ErrorRegistry[] = Object.freeze([
  {
    title: 'Denials',
    met: '`errors[].extensions.code` of an answer with data: one for each denied path.',
    codes: denialErrors,
  },
  {
    title: 'Refused requests',
    met: '`errors[].extensions.code` of an answer of the gateway.',
    codes: gatewayErrors,
  },
  {
    title: 'Schemas',
    met: 'At the start of a gateway or subgraph, and when composing.',
    codes: directiveErrors,
  },
  {
    title: 'Supergraphs',
    met: 'At the start of a gateway, and in its log at an update.',
    codes: supergraphErrors,
  },
  { title: 'Commands', met: 'The output of `behalf`.', codes: commandErrors },
  { title: 'Composition', met: '`behalf compose`.', codes: composeErrors },
  { title: 'Configuration', met: 'At the start of a gateway.', codes: configurationErrors },
  { title: 'Policy', met: 'Wherever `policy.yaml` is read.', codes: policyErrors },
  {
    title: 'Refused requests of a subgraph',
    met: '`errors[].extensions.code` of an answer of a protected subgraph.',
    codes: requestErrors,
  },
  {
    title: 'Subscriptions of a subgraph',
    met: '`extensions.code` of the error that the stream ends with.',
    codes: subscriptionErrors,
  },
  {
    title: 'Transaction tokens',
    met: '`onRefusedToken` of a subgraph: for its log, never for the caller.',
    codes: txnTokenRefusals,
  },
  {
    title: 'Passing a transaction on',
    met: '`PassOnError` of `exchangeTxnToken` and `txnTokenHeaders` in a subgraph.',
    codes: passOnErrors,
  },
  {
    title: 'Log of a subgraph',
    met: '`code` of a line, or the first argument of `log`: at most once a minute for each coordinate.',
    codes: subgraphLogCodes,
  },
  {
    title: 'Revocations in a process of its own',
    met: '`WatchOptionsError` of `watchRevocations`.',
    codes: revocationErrors,
  },
  { title: 'Log of the gateway', met: '`code` of a line.', codes: logCodes },
  { title: 'Log of the authority', met: '`code` of a line.', codes: authorityLogCodes },
  { title: 'Log of the store', met: '`code` of a line.', codes: storeLogCodes },
  { title: 'Audit', met: '`AuditError` of a sink.', codes: auditErrors },
  {
    title: 'Authority',
    met: 'At the start of the authority, and of `behalf rotate-keys`.',
    codes: authorityErrors,
  },
  { title: 'Applications', met: '`behalf clients`.', codes: applicationErrors },
  {
    title: 'Store',
    met: 'At the start, when the database ends by itself, and of every command that works on one.',
    codes: storeErrors,
  },
]);

/** `docs/reference/errors.md`: Markdown, made of the registries alone. */
export function errorReference(): string {
  const lines = [
    '# Error codes',
    '',
    'Codes are stable: programs may compare them; messages are for people. This page is made by `npm run docs` from the',
    'registries in the code, and a test holds that it is fresh. `npx behalf errors CODE` prints the same for one code.',
  ];
  for (const { title, met, codes } of errorRegistries) {
    const hasStatus = Object.values(codes).some(({ status }) => status !== undefined);
    const row = (...cells: string[]): string =>
      `| ${(hasStatus ? cells : cells.filter((_, i) => i !== 1)).join(' | ')} |`;
    lines.push(
      '',
      `## ${title}`,
      '',
      met,
      '',
      row('code', 'status', 'means', 'since'),
      row('---', '---', '---', '---'),
    );
    for (const [code, { description, since, status }] of Object.entries(codes)) {
      lines.push(
        row(
          `\`${code}\``,
          status === undefined ? '' : String(status),
          description.replaceAll('|', '\\|'),
          since,
        ),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
