import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parsePolicy, VerificationError, verifyProof } from '@behalf/audit-verify';
import type { RunFile } from 'behalf/internal';
import { auditPolicyFile } from '../start/audit-log.js';
import { askSilently } from './ask.js';
import { expect, WalkthroughError } from './error.js';
import { indent, json, type Narrator } from './narrator.js';
import { signIn } from './sign-in.js';

const HISTORY = `query WhoReadMyData {
  accessHistory(class: ACCESS, first: 100) {
    edges { node {
      transactionId occurredAt by clientId consentVersion purposes outcome
      fields { coordinate decision count strategy }
      proof
    } }
  }
}`;
/** A checkpoint covers a record within a second. */
const MAX_WAIT_MS = 10_000;
const STEP_MS = 50;
const MAX_LINE_LENGTH = 90;

interface Access {
  readonly transactionId: string;
  readonly outcome: string;
  readonly proof: string | null;
}

/** Alma looks at her own history, at the bank's console. @returns the proof of the first answer's record */
export async function seeHistory(run: RunFile, narrator: Narrator, transactionId: string): Promise<string> {
  narrator.heading(
    'Alma sees who read her data',
    'She signs in at the bank’s own console, with a scope for nothing but her history.',
  );
  const { tokens } = await signIn(run, narrator, {
    clientId: 'bank-console',
    secret: run.consoleSecret,
    scopes: ['audit:read'],
    declined: [],
  });
  narrator.print('');
  narrator.print(`POST ${run.gateway}/graphql  authorization: Bearer <access token>`);
  narrator.print(indent(HISTORY));
  const { access, count } = await findProven(run, tokens.access_token, transactionId);
  const { proof, ...seen } = access;
  narrator.print(`200  ${count} accesses. This one is of the first answer, without its proof:`);
  narrator.print(indent(json(seen)));
  expect(
    JSON.stringify(seen).includes('"Customer.email","decision":"MINIMIZED"'),
    'it says what was minimized',
  );
  return proof;
}

async function findProven(run: RunFile, token: string, transactionId: string) {
  for (let waitedMs = 0; waitedMs < MAX_WAIT_MS; waitedMs += STEP_MS) {
    const { body } = await askSilently(run.gateway, HISTORY, token);
    const { edges } = body.data?.accessHistory as { readonly edges: readonly { readonly node: Access }[] };
    const access = edges
      .map(({ node }) => node)
      .find((node) => node.transactionId === transactionId && node.outcome === 'ANSWERED');
    if (access === undefined) throw new WalkthroughError('The answer is not in her history');
    if (access.proof !== null) return { access: { ...access, proof: access.proof }, count: edges.length };
    await sleep(STEP_MS);
  }
  throw new WalkthroughError('The record has no proof');
}

/** Verifies the proof of the first answer that her history has, as anybody could. */
export async function verifyFromHistory(
  narrator: Narrator,
  proof: string,
  { dataDir, transactionId }: { readonly dataDir: string; readonly transactionId: string },
): Promise<void> {
  narrator.heading(
    'Anybody can check that',
    'The record is a leaf of a signed Merkle tree. Its proof, from her history, is verified with the log’s public key alone, without the bank.',
  );
  narrator.print(indent(shortened(proof)));
  const policy = parsePolicy(await readFile(auditPolicyFile(dataDir), 'utf8'));
  const { checkpoint, index, record } = verifyProof(proof, policy);
  expect(record.transactionId === transactionId, 'it is the record of that answer');
  narrator.print('');
  narrator.print(
    `Verified: entry ${index} of ${checkpoint.size} in ${checkpoint.origin}, as it was recorded.`,
  );
  const forged = proof.replace(/index \d+/, `index ${index + 1}`);
  let isRefused = false;
  try {
    verifyProof(forged, policy);
  } catch (error) {
    isRefused = error instanceof VerificationError;
  }
  expect(isRefused, 'a proof that was changed is refused');
  narrator.print('Changed in one digit, it is refused.');
}

/** Long lines, such as the record itself, are cut for the eye. */
function shortened(proof: string): string {
  return proof
    .trimEnd()
    .split('\n')
    .map((line) => (line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line))
    .join('\n');
}
